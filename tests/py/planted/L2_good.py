"""The value is kept on the instance, and dies with it."""
import functools
import time


class Item:
    def __init__(self, number):
        self.number = number
        self.text = f"item {number} " * 20

    @functools.cached_property
    def price(self):
        return self.number * 1.5


end, n, total = time.monotonic() + 2.2, 0, 0
while time.monotonic() < end:
    for _ in range(40):
        total += Item(n).price
        n += 1
    time.sleep(0.001)
print(total > 0)
