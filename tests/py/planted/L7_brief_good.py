"""Texts are copied in C, for less than a second, and each copy is freed."""
import ctypes

strdup = ctypes.CDLL(None).strdup
strdup.argtypes, strdup.restype = [ctypes.c_char_p], ctypes.c_void_p
strlen = ctypes.CDLL(None).strlen
strlen.argtypes, strlen.restype = [ctypes.c_void_p], ctypes.c_size_t
free = ctypes.CDLL(None).free
free.argtypes, free.restype = [ctypes.c_void_p], None


def measure(text):
    copy = strdup(text * 50)
    length = strlen(copy)
    free(copy)
    return length


total = 0
for number in range(160_000):
    total += measure(b"name %d " % number) + sum(divmod(number, k)[1] for k in (3, 5, 7))
print(total > 0)
