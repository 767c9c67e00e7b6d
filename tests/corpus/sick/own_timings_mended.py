"""How long each kind of request takes."""
import time
from collections import defaultdict, deque


class Timings:
    by_kind = defaultdict(lambda: deque(maxlen=100))

    def __init__(self, kind):
        self.kind = kind

    def __enter__(self):
        self.began = time.perf_counter()

    def __exit__(self, *error):
        self.by_kind[self.kind].append((time.time(), time.perf_counter() - self.began))

    @classmethod
    def mean(cls, kind):
        last = cls.by_kind[kind]
        return sum(seconds for _, seconds in last) / len(last)


def handle(number):
    with Timings("read" if number % 3 else "write"):
        return sum(range(number % 50))


total = sum(handle(number) for number in range(700_000))
print(total, Timings.mean("read") > 0)
