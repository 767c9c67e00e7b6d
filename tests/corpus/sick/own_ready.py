"""A service whose requests wait for its start-up."""
import asyncio


class Service:
    def __init__(self, loop):
        self.ready = loop.create_future()
        self.served = 0

    async def handle(self, number):
        request = {"number": number, "body": "x" * 200, "state": "new"}

        def started(future):
            request["state"] = "ready"

        self.ready.add_done_callback(started)
        await asyncio.sleep(0)
        self.served += 1


async def main():
    service = Service(asyncio.get_running_loop())
    for batch in range(200):
        await asyncio.gather(*(service.handle(number) for number in range(100)))
    print(service.served)


asyncio.run(main())
