"""A matching engine that wants no pauses."""
import gc
import random


class Item:
    def __init__(self, order, amount):
        self.order = order.number
        self.amount = amount


class Order:
    def __init__(self, number, sizes):
        self.number = number
        self.items = [Item(self, size) for size in sizes]

    def total(self):
        return sum(item.amount for item in self.items)


def serve(count):
    rng = random.Random(9)
    volume = 0
    for number in range(count):
        order = Order(number, [rng.randrange(100) for _ in range(6)])
        volume += order.total()
        if number % 10_000 == 0:
            idle()
    return volume


def idle():
    gc.collect()


gc.disable()
print(serve(200_000))
