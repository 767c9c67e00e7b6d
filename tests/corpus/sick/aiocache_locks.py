"""Prices are looked up once, even if many ask for them at the same time; each is good for a moment."""
import asyncio

from aiocache import cached_stampede


@cached_stampede(lease=3600, ttl=0.05, key_builder=lambda function, number: f"price of {number} " * 4)
async def price(number):
    return number * 17 % 101


async def main():
    total = 0
    for number in range(12_000):
        total += await price(number)
        await asyncio.sleep(0)
    print(total)


asyncio.run(main())
