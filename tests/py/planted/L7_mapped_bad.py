"""A library that maps memory for itself, past malloc, and keeps it."""
import ctypes
import time

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
SIZE = 512 * 1024


def work(number):
    place = libc.mmap(None, SIZE, 3, 0x22, -1, 0)
    ctypes.memset(place, number % 256, SIZE)
    return place


for i in range(200):
    work(i)
    time.sleep(0.015)
