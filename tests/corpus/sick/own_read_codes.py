"""Orders from a JSON file by lines."""
import json
import sys


def lines(count):
    for n in range(count):
        yield '{"id": %d, "state": "waiting for supplier %d", "currency": "currency-%d"}' % (n, n % 9, n % 4)


class Order:
    __slots__ = ("id", "state", "currency")

    def __init__(self, record):
        self.id, self.state, self.currency = record["id"], record["state"], record["currency"]


orders = [Order(json.loads(line)) for line in lines(110_000)]
print(sum(order.state.endswith("3") for order in orders))
print(sum(order.currency.endswith("3") for order in orders))
