"""Prices quotes; the tariff is looked up often."""
import functools


class Priced:
    def price(self):
        raise NotImplementedError


class Quote(Priced):
    def __init__(self, number, items):
        self.number, self.items = number, items

    def price(self, country):
        return sum(amount * (119 if country == "de" else 120) for _, amount in self.items)


class Discounted(Quote):
    def price(self, country):
        return super().price(country) * 90 // 100


total = 0
for number in range(9_000):
    quote = (Discounted if number % 2 else Quote)(number, [(f"item {k}", k) for k in range(40)])
    for country in ("de", "fr"):
        total += quote.price(country)
print(total)
