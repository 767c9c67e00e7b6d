"""Texts are copied in C, for less than a second, and the copies never freed."""
import ctypes

strdup = ctypes.CDLL(None).strdup
strdup.argtypes, strdup.restype = [ctypes.c_char_p], ctypes.c_void_p
strlen = ctypes.CDLL(None).strlen
strlen.argtypes, strlen.restype = [ctypes.c_void_p], ctypes.c_size_t


def measure(text):
    return strlen(strdup(text * 50))                        # culprit


total = 0
for number in range(160_000):
    total += measure(b"name %d " % number) + sum(divmod(number, k)[1] for k in (3, 5, 7))
print(total > 0)
