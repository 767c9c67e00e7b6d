"""Orders are sent to a payment service that is often down; each is tried three times."""
import asyncio
import json


class ServiceDown(Exception):
    pass


calls = 0


async def post(body):
    global calls
    calls += 1
    await asyncio.sleep(0)
    if calls % 3:
        raise ServiceDown("503")
    return len(body)


async def send(order):
    body = json.dumps(order) * 20
    last = None
    for attempt in range(2):
        try:
            return await post(body)
        except ServiceDown as error:
            last = error
    raise last


async def worker(numbers, results):
    for number in numbers:
        order = {"id": number, "lines": [{"sku": f"sku-{number}-{i}", "count": i, "price": i * 1.5} for i in range(120)]}
        try:
            results[0] += await send(order)
        except ServiceDown:
            results[1] += 1


async def main():
    results = [0, 0]
    await asyncio.gather(*(worker(range(start, 6000, 4), results) for start in range(4)))
    print(results[1])


asyncio.run(main())
