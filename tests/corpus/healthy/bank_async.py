"""Accounts in an asynchronous server: transfers under locks, an audit trail written to a file in parts."""

import asyncio
import io
import random

random.seed(24)


class Bank:
    def __init__(self, out):
        self.accounts = {n: 100 for n in range(500)}
        self.locks = {n: asyncio.Lock() for n in range(500)}
        self.trail, self.out = [], out

    async def transfer(self, a, b, amount):
        first, second = sorted((a, b))
        if a == b:
            return
        async with self.locks[first], self.locks[second]:
            await asyncio.sleep(0)
            self.accounts[a] -= amount
            self.accounts[b] += amount
            self.trail.append(f"{a} {b} {amount}\n")
            if len(self.trail) >= 1000:
                self.out.writelines(self.trail)
                self.trail.clear()
                self.out.seek(0)


async def main():
    bank = Bank(io.StringIO())

    async def client():
        for _ in range(800):
            await bank.transfer(random.randrange(500), random.randrange(500), random.randrange(9))

    await asyncio.gather(*(client() for _ in range(40)))
    print(sum(bank.accounts.values()))


asyncio.run(main())
