"""Stages of a pipeline, joined by queues of asyncio."""
import asyncio
import json


async def produce(out):
    for n in range(30_000):
        await out.put({"number": n, "text": f"line {n} of the log"})
    for _ in range(3):
        await out.put(None)


async def parse(into, out):
    while (record := await into.get()) is not None:
        await out.put(json.dumps(record))
    await out.put(None)


async def store(into, result):
    ended = 0
    while ended < 3:
        text = await into.get()
        if text is None:
            ended += 1
        else:
            result["bytes"] += len(text)


async def main():
    first, second, result = asyncio.Queue(100), asyncio.Queue(100), {"bytes": 0}
    await asyncio.gather(produce(first), *(parse(first, second) for _ in range(3)), store(second, result))
    print(result)


asyncio.run(main())
