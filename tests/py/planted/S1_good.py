"""The same points with slots."""
import time


class Point:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


POINTS = [Point(i % 200, i % 100) for i in range(100_000)]
time.sleep(0.2)
print(len(POINTS))
