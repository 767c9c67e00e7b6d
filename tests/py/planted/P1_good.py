"""What lives on was made first, and lies together."""
import time

class Entry:
    __slots__ = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k")


def peak(n):
    return [Entry() for _ in range(n)]


KEPT = peak(10_000)
entries = peak(590_000)
del entries
time.sleep(0.4)
print(len(KEPT))
