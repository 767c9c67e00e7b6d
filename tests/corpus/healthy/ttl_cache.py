"""A service with a cache bounded by number and by age."""

import random
import time
from collections import OrderedDict


class Cache:
    def __init__(self, most, age):
        self.most, self.age, self.data = most, age, OrderedDict()

    def get(self, k, make):
        now = time.monotonic()
        hit = self.data.get(k)
        if hit and now - hit[0] < self.age:
            self.data.move_to_end(k)
            return hit[1]
        v = make(k)
        self.data[k] = now, v
        self.data.move_to_end(k)
        while len(self.data) > self.most or now - next(iter(self.data.values()))[0] > self.age:
            self.data.popitem(last=False)
        return v


c = Cache(20000, 0.8)
n = 0
random.seed(3)
end = time.monotonic() + 4
while time.monotonic() < end:
    n += len(c.get(int(random.paretovariate(0.7)) % 100000, lambda k: [k] * 30))
print(n > 0)
