"""A cached lookup that often fails: the caller asks for something else next time."""
import asyncio

from async_lru import alru_cache


@alru_cache(maxsize=None)
async def find(key):
    page = bytes(500)
    await asyncio.sleep(0)
    raise KeyError(f"{key}: nothing in {len(page)} bytes")


async def main():
    missed = 0
    for i in range(70_000):
        try:
            await find(f"key {i}")
        except KeyError:
            missed += 1
    print(missed)


asyncio.run(main())
