"""C code that counts a row up each time it is asked for, and never down."""
import ctypes
import time

hold = ctypes.pythonapi.Py_IncRef
hold.argtypes, hold.restype = [ctypes.py_object], None


def fetch(i):
    row = [f"row {i}", i + 0.5]                             # culprit
    hold(row)
    return len(row)


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(20):
        fetch(n)
        n += 1
    time.sleep(0.001)
print(n > 0)
