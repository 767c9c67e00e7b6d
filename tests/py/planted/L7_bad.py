"""C code that never frees: malloc, called at each step."""
import ctypes
import time

malloc = ctypes.CDLL(None).malloc
malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
memset = ctypes.CDLL(None).memset
memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(20):
        memset(malloc(5000), 1, 5000)                       # culprit
        n += 1
    time.sleep(0.001)
print(n > 0)
