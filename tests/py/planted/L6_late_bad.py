"""C code that forgets to release what it was given, at work after an import that took its time."""
import ctypes
import time

begin = time.monotonic()
while time.monotonic() < begin + 0.9:        # imports, say
    time.sleep(0.001)
forget = ctypes.pythonapi.Py_IncRef
forget.argtypes = [ctypes.py_object]
end, n = time.monotonic() + 1.3, 0
while time.monotonic() < end:
    for _ in range(20):
        forget([f"row {n}"] * 20)            # culprit
        n += 1
    time.sleep(0.001)
print(n > 0)
