"""The same two answers from one pass: nothing waits for the other."""
import itertools
import time


def rows(n):
    for i in range(n):
        yield f"row {i}" * 3


def report(n):
    longest, lengths = itertools.tee(rows(n))
    most = total = 0
    for row, other in zip(longest, lengths):
        most, total = max(most, len(row)), total + len(other)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        sorted(range(2000))
    return most, total


print(report(150_000))
