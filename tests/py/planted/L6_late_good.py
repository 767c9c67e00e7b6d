"""C code that refers to what the program keeps in a table of its own: the table is what grows."""
import ctypes
import time

also = ctypes.pythonapi.Py_IncRef
also.argtypes = [ctypes.py_object]
table = {}


def enter(number):
    table[number] = row = [f"row {number}"] * 20
    also(row)


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(20):
        enter(n)
        n += 1
    time.sleep(0.001)
print(n > 0)
