"""A service with caches that have a bound: they fill, and then they stay."""
import functools
import random

from cachetools import TTLCache, cached

chance = random.Random(7)


@functools.lru_cache(maxsize=4000)
def page(number):
    return f"<h1>{number}</h1>" + "x" * 500


@cached(TTLCache(2000, ttl=600))
def user(number):
    return {"id": number, "name": f"user {number}", "rights": [f"right {n}" for n in range(number % 5)]}


total = 0
for i in range(900_000):
    total += len(page(chance.randrange(20_000)))
    if i % 3 == 0:
        total += len(user(chance.randrange(8_000))["rights"])
print(total)
