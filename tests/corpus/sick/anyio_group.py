"""Task groups whose task fails: each failure is caught and counted."""
import anyio


async def fetch(number):
    page = bytes(20_000)
    await anyio.sleep(0)
    raise ConnectionError(f"{number}: {len(page)}")


async def main():
    failed = 0
    for i in range(40_000):
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(fetch, i)
        except* ConnectionError:
            failed += 1
    print(failed)


anyio.run(main)
