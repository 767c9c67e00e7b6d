"""Positions of a fleet of vans over a day, kept for the evening's report."""
import math
import random


class Position:
    def __init__(self, van, second, lat, lon, speed):
        self.van = van
        self.second = second
        self.lat = lat
        self.lon = lon
        self.speed = speed

    def distance(self, other):
        return math.hypot(self.lat - other.lat, self.lon - other.lon)


def drive(van, count, rng):
    lat, lon = 48.0 + rng.random(), 11.0 + rng.random()
    for second in range(count):
        lat += rng.uniform(-0.001, 0.001)
        lon += rng.uniform(-0.001, 0.001)
        yield Position(van, second, lat, lon, rng.uniform(0, 90))


def record(vans, count):
    rng = random.Random(4)
    fleet = {}
    for van in range(vans):
        fleet[van] = list(drive(van, count, rng))
    return fleet


def report(fleet):
    far = {}
    for van, track in fleet.items():
        far[van] = sum(a.distance(b) for a, b in zip(track, track[1:]))
    return sorted(far.items(), key=lambda item: -item[1])[:3]


FLEET = record(60, 4000)
print(report(FLEET))
