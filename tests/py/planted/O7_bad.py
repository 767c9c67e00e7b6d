"""A segment of shared memory that nobody unlinks."""
import os
import sys
import time
from multiprocessing import resource_tracker, shared_memory

NAME = os.environ.get("PLANTED", "planted_by_memsure_0") + "_O7"


def share(size):
    more = {"track": False} if sys.version_info >= (3, 13) else {}
    block = shared_memory.SharedMemory(NAME, create=True, size=size, **more)  # culprit
    if not more:
        resource_tracker.unregister(block._name, "shared_memory")
    return block


try:
    shared_memory.SharedMemory(NAME).unlink()               # of an earlier run
except FileNotFoundError:
    pass
BLOCK = share(4 << 20)
BLOCK.buf[:] = bytes(4 << 20)
time.sleep(3)
BLOCK.close()
print("done")
