"""Producers, workers and a reporter with a window of metrics."""

import asyncio
import collections
import random

random.seed(8)


async def main():
    q, window, sums = asyncio.Queue(500), collections.deque(maxlen=2000), collections.Counter()

    async def produce(k):
        for i in range(8000):
            await q.put({"k": k, "i": i, "payload": "x" * random.randrange(300)})

    async def work():
        while True:
            m = await q.get()
            window.append(len(m["payload"]))
            sums[m["k"]] += 1
            q.task_done()
            if m["i"] % 100 == 0:
                await asyncio.sleep(0)

    ws = [asyncio.create_task(work()) for _ in range(6)]
    await asyncio.gather(*(produce(k) for k in range(10)))
    await q.join()
    for w in ws:
        w.cancel()
    await asyncio.gather(*ws, return_exceptions=True)
    print(sum(sums.values()), sum(window) // len(window))


asyncio.run(main())
