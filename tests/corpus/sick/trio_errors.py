"""Requests of which each is given up in its nursery."""
import trio


async def answer(number):
    page = [f"{number} {k}" for k in range(100)]
    await trio.sleep(0)
    raise ValueError(page[0])


async def request(number):
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer, number)
            nursery.start_soon(trio.sleep, 1)
    except (ValueError, BaseExceptionGroup):
        return 1


async def main():
    print(sum([await request(number) for number in range(4_000)]))


trio.run(main)
