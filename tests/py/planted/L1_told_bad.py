# A chain of entries that is asked for its length and its last entry only.
import random


class Chain:
    def __init__(self):
        self.entries = []

    def add(self, number):
        self.entries.append({"number": number, "value": random.random()})  # culprit

    def told(self):
        return len(self.entries), self.entries[-1]["number"]


chain = Chain()
for number in range(40_000):
    chain.add(number)
    sorted(range(4_000), reverse=True)
print(chain.told())
