"""tee() keeps what one of its iterators has read and the other has not."""
import itertools
import time


def rows(n):
    for i in range(n):
        yield f"row {i}" * 3


def report(n):
    longest, lengths = itertools.tee(rows(n))               # culprit
    most = max(map(len, longest))
    end = time.monotonic() + 1
    while time.monotonic() < end:
        sorted(range(2000))
    return most, sum(map(len, lengths))


print(report(150_000))
