"""Workers wait for work or for the end, whichever comes first."""
import asyncio


async def worker(queue, stop):
    total = 0
    while True:
        get = asyncio.create_task(queue.get())
        end = asyncio.create_task(stop.wait())
        await asyncio.wait({get, end}, return_when=asyncio.FIRST_COMPLETED)
        if not get.done():
            get.cancel()
            return total
        total += get.result()


async def main():
    queue, stop = asyncio.Queue(), asyncio.Event()
    running = asyncio.create_task(worker(queue, stop))
    for number in range(15_000):
        queue.put_nowait(number)
        if not number % 10:
            await asyncio.sleep(0)
    while not queue.empty():
        await asyncio.sleep(0.01)
    stop.set()
    print(await running)


asyncio.run(main())
