"""Records of a binary format, their layout known when they come."""
import ctypes

size = 0
for n in range(20_000):
    class Record(ctypes.Structure):
        _fields_ = [("number", ctypes.c_int), ("data", ctypes.c_char * (n % 50 + 1))]
    record = Record(n, b"x")
    size += ctypes.cast(ctypes.pointer(record), ctypes.POINTER(Record)).contents.number
print(size)
