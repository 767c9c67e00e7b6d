"""Blocks are compressed by many threads at once; then the program waits for more."""
import ctypes
import os
import sys
import threading
import time

if os.environ.get("MALLOC_ARENA_MAX") != "1":
    os.environ["MALLOC_ARENA_MAX"] = "1"
    os.environ["MALLOC_TRIM_THRESHOLD_"] = "131072"
    os.execv(sys.executable, [sys.executable, *sys.argv])
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
begin = threading.Barrier(16)


def work(number):
    begin.wait()
    blocks = []
    for i in range(250):
        block = libc.malloc(60_000)
        libc.memset(block, 1, 60_000)
        blocks.append(block)
    begin.wait()
    for block in blocks:
        libc.free(block)


def main():
    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(1)
    print(len(threads))


main()
