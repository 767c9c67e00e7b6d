"""A shipping service asks a tariff engine; a decorator remembers prices so that they need not be computed twice."""
import functools
import random


def remembered(limit):
    def decorate(function):
        known = {}

        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            key = args, tuple(sorted(kwargs.items()))
            if key not in known:
                known[key] = function(*args, **kwargs)
            return known[key]

        wrapper.limit = limit
        return wrapper

    return decorate


@remembered(limit=1000)
def quote(origin, target, grams, express=False):
    distance = abs(hash((origin, target))) % 900 + 30
    base = 3.5 + distance * 0.012 + grams * 0.0021
    steps = [(hub, round(base * hub / 9, 2)) for hub in range(1, 10)]
    return {"price": round(base * (1.6 if express else 1), 2), "steps": steps}


class Shop:
    def __init__(self, city):
        self.city = city
        self.turnover = 0.0

    def checkout(self, rng):
        grams = rng.randrange(100, 30_000)
        offer = quote(self.city, rng.randrange(400), grams, express=rng.random() < 0.2)
        self.turnover += offer["price"]


def main():
    rng = random.Random(17)
    shops = [Shop(city) for city in range(12)]
    for number in range(25_000):
        shops[number % len(shops)].checkout(rng)
    print(round(sum(shop.turnover for shop in shops)) > 0)


if __name__ == "__main__":
    main()
