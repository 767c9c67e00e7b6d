"""A gateway: requests are answered, unless the maintenance window opens first and they are turned away."""
import asyncio


class Gateway:
    def __init__(self):
        self.maintenance = asyncio.get_running_loop().create_future()
        self.answered = 0
        self.turned_away = 0

    async def backend(self, request):
        await asyncio.sleep(0)
        payload = [request * place % 251 for place in range(60)]
        return sum(payload)

    async def guarded(self, request):
        work = asyncio.ensure_future(self.backend(request))
        gate = asyncio.gather(self.maintenance, return_exceptions=True)
        done, _ = await asyncio.wait({work, gate}, return_when=asyncio.FIRST_COMPLETED)
        if work in done:
            return work.result()
        return None

    async def handle(self, request):
        answer = await self.guarded(request)
        if answer is None:
            self.turned_away += 1
        else:
            self.answered += 1


async def clients(gateway, waves, size):
    for wave in range(waves):
        await asyncio.gather(*(gateway.handle(wave * size + number) for number in range(size)))


async def main():
    gateway = Gateway()
    await clients(gateway, 300, 50)
    gateway.maintenance.set_result("window")
    print(gateway.answered, gateway.turned_away)


if __name__ == "__main__":
    asyncio.run(main())
