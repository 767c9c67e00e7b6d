"""Requests are answered with old settings until the new ones are ready, which they never are."""
import asyncio
import functools


class Service:
    def __init__(self, loop):
        self.ready = loop.create_future()
        self.answered = 0

    def settings_ready(self, request, future):
        request["settings"] = future.result()

    async def handle(self, number):
        request = {"id": number, "body": f"body of {number} " * 25, "settings": None}
        later = functools.partial(self.settings_ready, request)
        self.ready.add_done_callback(later)
        await asyncio.sleep(0)
        self.answered += len(request["body"])
        self.ready.remove_done_callback(later)


async def client(service, numbers):
    for number in numbers:
        await service.handle(number)


async def main():
    service = Service(asyncio.get_running_loop())
    clients = 3
    await asyncio.gather(*(client(service, range(start, 36_000, clients)) for start in range(clients)))
    print(service.answered)


asyncio.run(main())
