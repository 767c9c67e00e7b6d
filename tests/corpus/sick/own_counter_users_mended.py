"""Timings of requests are kept by route and user."""
import random
import time


class Histogram:
    def __init__(self):
        self.series = {}

    def observe(self, seconds, **labels):
        key = tuple(sorted(labels.items()))
        buckets = self.series.get(key)
        if buckets is None:
            buckets = self.series[key] = [0] * 12
        buckets[min(11, int(seconds * 12))] += 1


TIMES = Histogram()


def serve(count):
    rng = random.Random(27)
    for number in range(count):
        TIMES.observe(rng.random(), route=f"/r{number % 9}")
        if number % 500 == 0:
            time.sleep(0.005)


if __name__ == "__main__":
    serve(90_000)
    print(len(TIMES.series) > 1)
