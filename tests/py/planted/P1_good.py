"""What lives on was made first, and lies together."""
import time

class Entry:
    __slots__ = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k")


def peak(n):
    return [Entry() for _ in range(n)]


KEPT = peak(10_000)
entries = peak(590_000)
del entries
for _ in range(30):                                         # what is free goes back meanwhile
    time.sleep(0.05)
    [str(i) for i in range(200)]
print(len(KEPT))
