"""Hands buffers to a C function that may keep them for a while."""
import ctypes

hold = ctypes.pythonapi.Py_IncRef
free = ctypes.pythonapi.Py_DecRef
hold.argtypes = free.argtypes = [ctypes.py_object]
crc = ctypes.CDLL(None).strnlen
crc.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


class Pinned:
    def __init__(self, data):
        self.data = data
        hold(self.data)

    def __enter__(self):
        return self.data

    def __exit__(self, *_):
        self.data = None


total = 0
for number in range(20_000):
    with Pinned(b"%d:" % number + b"x" * 700) as data:
        total += crc(data, len(data))
print(total)
