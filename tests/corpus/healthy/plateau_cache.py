"""Caches that fill and then only change: functools.lru_cache, an OrderedDict, linecache of a fixed set of files."""
import collections
import functools
import random


@functools.lru_cache(maxsize=2000)
def describe(number):
    return {"number": number, "text": f"thing {number}" * 3}


class Recent:
    def __init__(self, most):
        self.most, self.entries = most, collections.OrderedDict()

    def get(self, key):
        if key in self.entries:
            self.entries.move_to_end(key)
        else:
            self.entries[key] = [key] * 20
            if len(self.entries) > self.most:
                self.entries.popitem(last=False)
        return self.entries[key]


rng, recent, total = random.Random(5), Recent(3000), 0
for _ in range(600_000):
    key = int(rng.paretovariate(0.6)) % 50_000
    total += len(describe(key)) + len(recent.get(key))
print(total)
