"""The same table in pages of the usual size."""
import mmap
import time


def table(size):
    room = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return room


SEEN = table(96 << 20)
for at in range(0, len(SEEN), 1 << 20):
    SEEN[at] = 1
time.sleep(4)
print(len(SEEN))
