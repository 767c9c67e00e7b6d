"""The loneliest house: for each house the nearest other one."""
import random


def distance(a, b):
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


def spread(count):
    rng = random.Random(12)
    return [(rng.random(), rng.random()) for _ in range(count)]


def energy(houses):
    total = 0.0
    for house in houses:
        total += max([distance(house, other) for other in houses])
    return total


def main():
    houses = spread(2500)
    print(round(energy(houses), 3))


main()
