"""Shapes are read from drawings and their areas summed up."""
import functools
import random


class Shape:
    def __init__(self, points):
        self.points = points

    @functools.cached_property
    def outline(self):
        return [(b[0] - a[0], b[1] - a[1]) for a, b in zip(self.points, self.points[1:] + self.points[:1])]

    def area(self):
        total = 0.0
        for (x, y), (dx, dy) in zip(self.points, self.outline):
            total += x * dy - y * dx
        return abs(total) / 2

    def length(self):
        return sum(abs(dx) + abs(dy) for dx, dy in self.outline)


def drawing(rng):
    return [Shape([(rng.random(), rng.random()) for _ in range(24)]) for _ in range(40)]


def main():
    rng = random.Random(19)
    area = length = 0.0
    for _ in range(150):
        for shape in drawing(rng):
            area += shape.area()
            length += shape.length()
    print(round(area), round(length))


main()
