"""Each request is raced against an event that never comes; the watchers pile up on it."""
import asyncio


class Service:
    def __init__(self, loop):
        self.loop = loop
        self.stop = asyncio.Event()

    async def request(self, i):
        await asyncio.sleep(0)
        return bytes(1000)

    async def serve(self, seconds):
        until, n = self.loop.time() + seconds, 0
        while self.loop.time() < until:
            for _ in range(20):
                watch = self.loop.create_task(self.stop.wait())                 # culprit
                job = self.loop.create_task(self.request(n))
                await asyncio.wait([job, watch], return_when=asyncio.FIRST_COMPLETED)
                n += 1
            await asyncio.sleep(0.001)
        return n


SERVICE = Service(asyncio.new_event_loop())
SERVICE.loop.set_exception_handler(lambda *_: None)          # of those that still wait at the end
print(SERVICE.loop.run_until_complete(SERVICE.serve(2.2)) > 0)
