"""Two registers have the same orders: neither holds them alone, and both only grow."""
import time

BY_ID, BY_NAME = {}, {}


class Order:
    def __init__(self, number):
        self.number = number
        self.lines = [number] * 60


def take(number):
    order = Order(number)
    BY_ID[number] = order
    BY_NAME[f"order {number}"] = order                      # culprit


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(50):
        take(n)
        n += 1
    time.sleep(0.001)
print(n > 0)
