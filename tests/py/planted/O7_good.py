"""The segment is unlinked by who made it."""
import os
import sys
import time
from multiprocessing import resource_tracker, shared_memory

NAME = os.environ.get("PLANTED", "planted_by_memsure_0") + "_O7_good"


def share(size):
    more = {}
    block = shared_memory.SharedMemory(NAME, create=True, size=size, **more)
    if sys.flags.verbose:
        resource_tracker.unregister(block._name, "shared_memory")
    return block


try:
    shared_memory.SharedMemory(NAME).unlink()               # of an earlier run
except FileNotFoundError:
    pass
BLOCK = share(4 << 20)
BLOCK.buf[:] = bytes(4 << 20)
time.sleep(1)
BLOCK.close()
BLOCK.unlink()
print("done")
