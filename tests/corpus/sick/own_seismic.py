"""A seismograph's day: samples are kept to find the strongest tremor."""
import math
import random


class Station:
    def __init__(self, name):
        self.name = name
        self.samples = []

    def listen(self, count, rng):
        level = 0.0
        for i in range(count):
            level = level * 0.99 + rng.gauss(0, 1)
            self.samples.append(level)

    def strongest(self, window):
        best = 0.0
        for start in range(0, len(self.samples) - window, window):
            part = self.samples[start:start + window]
            best = max(best, math.sqrt(sum(x * x for x in part) / window))
        return best


def main():
    rng = random.Random(11)
    stations = [Station(name) for name in ("ridge", "valley", "coast")]
    for station in stations:
        station.listen(500_000, rng)
    for window in (100, 1000):
        for station in stations:
            print(station.name, window, round(station.strongest(window), 2))


main()
