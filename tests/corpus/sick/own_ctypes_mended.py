"""Names are handed to a C library, which wants copies of its own."""
import ctypes

libc = ctypes.CDLL(None)
libc.strdup.restype = ctypes.c_void_p
libc.strdup.argtypes = [ctypes.c_char_p]
libc.strlen.argtypes = [ctypes.c_void_p]
libc.strlen.restype = ctypes.c_size_t
libc.free.argtypes = [ctypes.c_void_p]


def measure(name):
    copy = libc.strdup(name)
    try:
        return libc.strlen(copy)
    finally:
        libc.free(copy)


print(sum(measure(b"name %d " % n * 100) for n in range(150_000)))
