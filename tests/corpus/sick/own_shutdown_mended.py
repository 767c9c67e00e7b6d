"""A server whose handlers want to know when it ends."""
import asyncio


class Server:
    def __init__(self):
        self.closing = asyncio.get_running_loop().create_future()

    async def handle(self, number):
        notes = [f"{number} note {k}" for k in range(8)]
        def stop(future):
            notes.clear()
        self.closing.add_done_callback(stop)
        await asyncio.sleep(0)
        self.closing.remove_done_callback(stop)
        return len(notes)


async def main():
    server = Server()
    total = 0
    for number in range(35_000):
        total += await server.handle(number)
    server.closing.cancel()
    print(total)


asyncio.run(main())
