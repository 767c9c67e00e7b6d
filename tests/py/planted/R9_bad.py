"""Each request waits for its answer or for the end of the service: the end keeps every one that waited."""
import asyncio


class Service:
    def __init__(self, loop):
        self.loop = loop
        self.end = loop.create_future()

    async def request(self, i):
        await asyncio.sleep(0)
        return bytes(1000)

    async def serve(self, seconds):
        until, n = self.loop.time() + seconds, 0
        while self.loop.time() < until:
            for _ in range(20):
                job = self.loop.create_task(self.request(n))
                self.end.add_done_callback(job.cancel)      # culprit
                await job
                n += 1
            await asyncio.sleep(0.001)
        return n


SERVICE = Service(asyncio.new_event_loop())
print(SERVICE.loop.run_until_complete(SERVICE.serve(2.2)) > 0)
