"""Normalises a stream by its maximum."""
import itertools


def readings(count):
    for n in range(count):
        yield (n * 7919 % 10_007) / 100


def normalised(values):
    first, second = itertools.tee(values)
    highest = max(first)
    return (value / highest for value in second)


print(round(sum(normalised(readings(600_000)))))
