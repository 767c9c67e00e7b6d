"""A property that is cached: the cache holds every key that was asked for it."""
import functools
import time


class Key:
    def __init__(self, name):
        self.name = name

    @property
    @functools.cache                                                     # culprit
    def slot(self):
        return sum(self.name.encode()) % 16


spread, end, number = [0] * 16, time.monotonic() + 1.8, 0
while time.monotonic() < end:
    for _ in range(40):
        spread[Key(f"session:{number}" * 8).slot] += 1
        number += 1
    time.sleep(0.001)
print(sum(spread))
