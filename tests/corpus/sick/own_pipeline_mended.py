"""Reads, parses and stores lines in asyncio stages."""
import asyncio
import json


async def read(queue, count):
    for number in range(count):
        await queue.put(json.dumps({"id": number, "text": "x" * 100}))
        await asyncio.sleep(0) if number % 50 == 0 else None
    await queue.put(None)


async def parse(source, target):
    while (line := await source.get()) is not None:
        await target.put(json.loads(line))
    await target.put(None)


async def store(queue):
    stored = 0
    while await queue.get() is not None:
        stored += 1
        if stored % 20 == 0:
            await asyncio.sleep(0.001)
    return stored


async def main():
    lines, rows = asyncio.Queue(50), asyncio.Queue(50)
    _, _, stored = await asyncio.gather(read(lines, 15_000), parse(lines, rows), store(rows))
    print(stored)


asyncio.run(main())
