"""An agent samples, keeps a round-robin archive for each series at three resolutions, and answers queries."""

import math
import random


class Archive:
    def __init__(self, steps, size):
        self.steps, self.size = steps, size
        self.values, self.head = [math.nan] * size, 0
        self.sum = self.count = 0

    def add(self, value):
        self.sum += value
        self.count += 1
        if self.count == self.steps:
            self.values[self.head % self.size] = self.sum / self.count
            self.head += 1
            self.sum = self.count = 0


class Series:
    def __init__(self):
        self.archives = [Archive(1, 300), Archive(10, 300), Archive(60, 200)]

    def add(self, value):
        for archive in self.archives:
            archive.add(value)

    def mean(self, which):
        known = [v for v in self.archives[which].values if v == v]
        return sum(known) / max(1, len(known))


def main():
    rng, series = random.Random(3), {}
    hosts = [f"host{n:03}" for n in range(60)]
    for second in range(3000):
        for host in hosts:
            for what in ("cpu", "disk", "net"):
                series.setdefault((host, what), Series()).add(rng.random() * 100)
        if second % 100 == 0:
            worst = max(series, key=lambda key: series[key].mean(1))
    print(len(series), worst)


main()
