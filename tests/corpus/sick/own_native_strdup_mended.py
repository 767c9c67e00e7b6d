"""Names for a C library: copies that it wants to own."""
import ctypes
import random

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]


def copy(data):
    where = libc.malloc(len(data) + 1)
    ctypes.memmove(where, data, len(data))
    return where


def drop(where):
    libc.free(where)


def register(names):
    total = 0
    for name in names:
        where = copy(name)
        total += len(name)
        drop(where)
    return total


def main():
    rng = random.Random(7)
    total = 0
    for batch in range(120):
        names = [b"x" * rng.randrange(200, 1200) for _ in range(1000)]
        total += register(names)
    print(total > 0)


main()
