"""A cache of the last thousand pages."""
from collections import OrderedDict


class Cache:
    def __init__(self, size):
        self.size, self.pages = size, OrderedDict()

    def get(self, key, make):
        if key in self.pages:
            self.pages.move_to_end(key)
            return self.pages[key]
        if len(self.pages) == self.size:
            self.pages.popitem(last=False)
        page = self.pages[key] = make(key)
        return page

    def put(self, key, page):
        self.pages[key] = page


cache, total = Cache(1_000), 0
for number in range(40_000):
    cache.put(f"draft {number}", ["draft"] * 20)
    total += len(cache.get(number % 1_500, lambda key: [key] * 30))
print(total)
