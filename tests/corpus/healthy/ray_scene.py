"""Draws a scene of spheres by rays, a vector class and a picture that is written as PPM."""

import io
import math


class Vec:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x, self.y, self.z = x, y, z

    def __add__(self, o):
        return Vec(self.x + o.x, self.y + o.y, self.z + o.z)

    def __sub__(self, o):
        return Vec(self.x - o.x, self.y - o.y, self.z - o.z)

    def __mul__(self, k):
        return Vec(self.x * k, self.y * k, self.z * k)

    def dot(self, o):
        return self.x * o.x + self.y * o.y + self.z * o.z

    def unit(self):
        return self * (1 / math.sqrt(self.dot(self)))


class Sphere:
    def __init__(self, at, radius, color):
        self.at, self.radius, self.color = at, radius, color

    def hit(self, start, way):
        off = start - self.at
        b = 2 * off.dot(way)
        under = b * b - 4 * (off.dot(off) - self.radius**2)
        if under < 0:
            return None
        t = (-b - math.sqrt(under)) / 2
        return t if t > 1e-4 else None


def trace(scene, start, way, light, depth=0):
    best = None
    for sphere in scene:
        t = sphere.hit(start, way)
        if t and (best is None or t < best[0]):
            best = (t, sphere)
    if not best:
        return Vec(0.2, 0.3, 0.5) * (0.5 + way.y / 2)
    at = start + way * best[0]
    normal = (at - best[1].at).unit()
    color = best[1].color * max(0.1, normal.dot((light - at).unit()))
    if depth < 1:
        color = color * 0.8 + trace(scene, at, way - normal * (2 * way.dot(normal)), light, depth + 1) * 0.2
    return color


def main():
    scene = [Sphere(Vec(math.sin(n) * 3, math.cos(n * 2), 6 + n % 4), 0.9, Vec(n % 3 / 2, 0.6, 0.4)) for n in range(6)]
    width, height, rows = 120, 90, []
    for y in range(height):
        row = []
        for x in range(width):
            way = Vec((x - width / 2) / width, (height / 2 - y) / width, 1).unit()
            c = trace(scene, Vec(0, 0, 0), way, Vec(5, 8, 0))
            row.append((int(min(1, c.x) * 255), int(min(1, c.y) * 255), int(min(1, c.z) * 255)))
        rows.append(row)
    out = io.StringIO()
    print("P3", width, height, 255, file=out)
    for row in rows:
        print(*(v for pixel in row for v in pixel), file=out)
    print(len(out.getvalue()))


main()
