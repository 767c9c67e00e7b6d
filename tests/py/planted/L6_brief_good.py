"""C code that asks Python for memory and gives it back, but for a table that it fills as it begins: for a fifth of a second."""
import ctypes
import time

ask = ctypes.pythonapi.PyMem_Malloc
ask.argtypes, ask.restype = [ctypes.c_size_t], ctypes.c_void_p
give = ctypes.pythonapi.PyMem_Free
give.argtypes, give.restype = [ctypes.c_void_p], None
for _ in range(10_000):
    ask(400)


def convert(text):
    room = ask(400)
    give(room)
    return len(text) + (room > 0)


n = 0
while time.process_time() < 0.2:
    for _ in range(20):
        n += convert("a text")
print(n > 0)
