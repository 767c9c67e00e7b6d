"""Task groups of which one task fails; the error is caught and counted."""
import asyncio


async def fetch(number):
    page = bytes(20_000)
    await asyncio.sleep(0)
    raise ConnectionError(f"{number}: {len(page)}")


async def main():
    failed = 0
    for i in range(30_000):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fetch(i))
        except* ConnectionError:
            failed += 1
    print(failed)


asyncio.run(main())
