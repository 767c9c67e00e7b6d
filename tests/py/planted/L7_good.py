"""The same, freed."""
import ctypes
import time

malloc, free = ctypes.CDLL(None).malloc, ctypes.CDLL(None).free
malloc.argtypes, malloc.restype, free.argtypes = [ctypes.c_size_t], ctypes.c_void_p, [ctypes.c_void_p]
memset = ctypes.CDLL(None).memset
memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(20):
        p = malloc(5000)
        memset(p, 1, 5000)
        free(p)
        n += 1
    time.sleep(0.001)
print(n > 0)
