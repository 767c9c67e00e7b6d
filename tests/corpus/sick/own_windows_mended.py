"""Normalises a stream by its maximum."""
import itertools


def readings(count):
    for n in range(count):
        yield (n * 7919 % 10_007) / 100


def normalised(values):
    highest = max(values())
    return (value / highest for value in values())


print(round(sum(normalised(lambda: readings(600_000)))))
