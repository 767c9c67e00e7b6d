"""A hundred thousand points with a dict each."""
import time


class Point:                                                # culprit
    def __init__(self, x, y):
        self.x = x
        self.y = y
        self.__dict__


POINTS = [Point(i % 200, i % 100) for i in range(100_000)]
time.sleep(0.2)
print(len(POINTS))
