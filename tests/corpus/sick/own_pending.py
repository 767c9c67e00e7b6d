"""A client that sends calls over a slow line."""
import asyncio
import itertools


class Rpc:
    def __init__(self):
        self.pending, self.numbers = {}, itertools.count()

    async def call(self, method, *values):
        number = next(self.numbers)
        future = self.pending[number] = asyncio.get_running_loop().create_future()
        try:
            return await asyncio.wait_for(future, 0.004)
        except asyncio.TimeoutError:
            return None

    def answer(self, number, value):
        future = self.pending.pop(number, None)
        if future is not None and not future.done():
            future.set_result(value)


async def main():
    rpc, lost = Rpc(), 0
    for batch in range(150):
        calls = [asyncio.create_task(rpc.call("add", batch, k)) for k in range(120)]
        await asyncio.sleep(0)
        for number in list(rpc.pending)[-60:]:
            rpc.answer(number, 1)
        lost += sum(value is None for value in await asyncio.gather(*calls))
    print(lost)

asyncio.run(main())
