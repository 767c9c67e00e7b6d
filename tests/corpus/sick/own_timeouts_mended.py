"""Requests with a time limit each."""
import asyncio


class Request:
    def __init__(self, number, loop):
        self.body = [f"{number} field {k}" for k in range(6)]
        self.late = False
        self.timer = loop.call_later(600, self.give_up)

    def give_up(self):
        self.late = True

    async def run(self):
        await asyncio.sleep(0)
        self.timer.cancel()
        return len(self.body)


async def main():
    loop, total = asyncio.get_running_loop(), 0
    for number in range(40_000):
        total += await Request(number, loop).run()
    print(total)


asyncio.run(main())
