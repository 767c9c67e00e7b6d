"""A warehouse: orders reserve stock; those that cannot be met are explained to the customer."""
import random


class OutOfStock(Exception):
    def __init__(self, sku, wanted, there):
        super().__init__(f"{sku}: {wanted} wanted, {there} there")
        self.sku = sku
        self.missing = wanted - there


class Warehouse:
    def __init__(self, skus, seed):
        self.rng = random.Random(seed)
        self.stock = {f"sku-{number:05d}": self.rng.randrange(40) for number in range(skus)}

    def take(self, sku, count):
        there = self.stock[sku]
        if there < count:
            raise OutOfStock(sku, count, there)
        self.stock[sku] = there - count

    def refill(self):
        for sku in self.stock:
            self.stock[sku] = self.rng.randrange(40)


def pick_list(warehouse, size):
    skus = list(warehouse.stock)
    return [{"sku": warehouse.rng.choice(skus), "count": warehouse.rng.randrange(1, 9), "shelf": number % 70}
            for number in range(size)]


def reserve(warehouse, size):
    lines = pick_list(warehouse, size)
    outcome = None
    for line in lines:
        try:
            warehouse.take(line["sku"], line["count"])
        except OutOfStock as missing:
            outcome = missing
            break
    if outcome is None:
        return "sent", 0
    return "waits", outcome.missing


def day(orders):
    warehouse = Warehouse(300, 5)
    counts = {"sent": 0, "waits": 0}
    missing = 0
    for number in range(orders):
        state, short = reserve(warehouse, 120)
        counts[state] += 1
        missing += short
        if number % 50 == 49:
            warehouse.refill()
    return counts, missing


if __name__ == "__main__":
    print(*day(4000))
