"""Rain by the hour: mean first, then the share of hours above it."""
import itertools
import random


def hours(count):
    rng = random.Random(2)
    for _ in range(count):
        yield rng.expovariate(0.5)


def share(readings):
    first, second = itertools.tee(readings)
    total = number = 0
    for value in first:
        total += value
        number += 1
    mean = total / number
    above = 0
    for value in second:
        if value > mean:
            above += 1
    return above / number


def main():
    for year in range(3):
        print(year, round(share(hours(700_000)), 4))


main()
