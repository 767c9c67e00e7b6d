"""A search service: a query is answered by its first page; who wants more asks with the cursor's number."""
import asyncio
import itertools
import random


class Search:
    def __init__(self, documents):
        rng = random.Random(1)
        self.documents = [[rng.randrange(500) for _ in range(12)] for _ in range(documents)]
        self.cursors = {}
        self.numbers = itertools.count()

    async def pages(self, word, size):
        ranked = sorted((document.count(word) * 10 + max(document), number)
                        for number, document in enumerate(self.documents) if word in document or number % 3 == 0)
        for start in range(0, len(ranked), size):
            yield [number for _, number in ranked[start:start + size]]
            await asyncio.sleep(0)

    async def query(self, word):
        cursor = self.pages(word, 10)
        first = await anext(cursor)
        number = next(self.numbers)
        self.cursors[number] = cursor
        return number, first

    async def more(self, number):
        return await anext(self.cursors[number], [])

    async def close(self, number):
        await self.cursors.pop(number).aclose()


async def client(search, rng):
    number, first = await search.query(rng.randrange(500))
    found = len(first)
    if rng.random() < 0.3:
        found += len(await search.more(number))
    await search.close(number)
    return found


async def main():
    rng = random.Random(6)
    search = Search(1500)
    found = 0
    for _ in range(80):
        found += sum(await asyncio.gather(*(client(search, rng) for _ in range(8))))
    print(found)


asyncio.run(main())
