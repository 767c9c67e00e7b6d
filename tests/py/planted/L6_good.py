"""The same C code, which gives back what it took."""
import ctypes
import time

hold, release = ctypes.pythonapi.Py_IncRef, ctypes.pythonapi.Py_DecRef
hold.argtypes, hold.restype = [ctypes.py_object], None
release.argtypes, release.restype = [ctypes.py_object], None


def fetch(i):
    row = [f"row {i}", i + 0.5]
    hold(row)
    release(row)
    return len(row)


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(20):
        fetch(n)
        n += 1
    time.sleep(0.001)
print(n > 0)
