# A chain of entries that its owner goes through when it is done.
import random


class Chain:
    def __init__(self):
        self.entries = []

    def add(self, number):
        self.entries.append({"number": number, "value": random.random()})

    def told(self):
        return all(a["number"] + 1 == b["number"] for a, b in zip(self.entries, self.entries[1:]))


chain = Chain()
for number in range(40_000):
    chain.add(number)
    sorted(range(4_000), reverse=True)
print(chain.told())
