"""Telemetry: devices report, a writer stores in batches."""
import asyncio
import random


class Collector:
    def __init__(self):
        self.pending = asyncio.Queue(maxsize=100)
        self.stored = 0

    async def device(self, number, until):
        rng = random.Random(number)
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            await self.pending.put({"device": number, "value": rng.random(), "unit": "kPa", "raw": bytes(200)})
            await asyncio.sleep(0.0005)

    async def writer(self):
        while True:
            await self.pending.get()
            self.stored += 1
            await asyncio.sleep(0.0005)


async def main():
    collector = Collector()
    writer = asyncio.create_task(collector.writer())
    until = asyncio.get_running_loop().time() + 3
    await asyncio.gather(*(collector.device(number, until) for number in range(12)))
    writer.cancel()
    print(collector.stored > 0)


asyncio.run(main())
