"""A price service: each request races the backend's answer against the service's closing."""
import asyncio
import random


class Service:
    def __init__(self):
        self.closing = asyncio.Event()
        self.answered = 0

    async def backend(self, item):
        await asyncio.sleep(0.002)
        return {"item": item, "price": item * 7 % 1000, "offers": [item % offer for offer in range(2, 30)]}

    async def request(self, item):
        answer = asyncio.create_task(self.backend(item))
        closed = asyncio.create_task(self.closing.wait())
        done, _ = await asyncio.wait([answer, closed], return_when=asyncio.FIRST_COMPLETED)
        closed.cancel()
        if answer not in done:
            answer.cancel()
            return None
        self.answered += 1
        return answer.result()


async def visitor(service, rng, visits):
    total = 0
    for _ in range(visits):
        found = await service.request(rng.randrange(10_000))
        total += found["price"]
    return total


async def main():
    service = Service()
    rng = random.Random(3)
    totals = await asyncio.gather(*(visitor(service, rng, 250) for _ in range(60)))
    service.closing.set()
    await asyncio.sleep(0.05)
    print(service.answered, sum(totals))


if __name__ == "__main__":
    asyncio.run(main())
