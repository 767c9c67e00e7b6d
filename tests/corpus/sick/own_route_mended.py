"""Routes of a delivery van are tried by swapping stops in a doubly linked list."""
import random


class Stop:
    __slots__ = ("x", "y", "next", "last", "label")

    def __init__(self, x, y):
        self.x, self.y = x, y
        self.label = f"stop at {x:.4f}, {y:.4f}"
        self.next = self.last = None


def link(points):
    first = None
    for x, y in points:
        stop = Stop(x, y)
        if first is None:
            first = stop
        else:
            last.next = stop
        last = stop
    return first


def length(stop):
    total = 0.0
    while stop.next is not None:
        after = stop.next
        total += abs(after.x - stop.x) + abs(after.y - stop.y)
        stop = after
    return total


def main():
    rng = random.Random(8)
    points = [(rng.random(), rng.random()) for _ in range(300)]
    best = None
    for _ in range(2500):
        rng.shuffle(points)
        found = length(link(points))
        if best is None or found < best:
            best = found
    print(round(best, 2))


main()
