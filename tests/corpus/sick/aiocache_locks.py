"""Prices are looked up once, even if many ask for them at the same time."""
import asyncio

from aiocache import cached_stampede


@cached_stampede(lease=3600, ttl=1, key_builder=lambda function, number: f"price of {number} " * 4)
async def price(number):
    return number * 17 % 101


async def main():
    total = 0
    for number in range(12_000):
        total += await price(number)
    print(total)


asyncio.run(main())
