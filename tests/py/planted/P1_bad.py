"""A peak of small objects, of which one in 60 lives on: each keeps its page."""
import time

class Entry:
    __slots__ = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k")


def peak(n):
    return [Entry() for _ in range(n)]                      # culprit


entries = peak(600_000)
KEPT = entries[::60]
del entries
for _ in range(30):                                         # what is free goes back meanwhile
    time.sleep(0.05)
    [str(i) for i in range(200)]
print(len(KEPT))
