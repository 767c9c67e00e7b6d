"""A chain of blocks with transactions: it grows, that is what it is for; then it is checked."""

import hashlib
import json
import random

random.seed(12)


class Block:
    def __init__(self, prev, txs):
        self.prev, self.txs = prev, txs
        self.hash = hashlib.sha256((prev + json.dumps(txs)).encode()).hexdigest()


class Chain:
    def __init__(self):
        self.blocks, self.balances = [Block("", [])], {}

    def add(self, txs):
        self.blocks.append(Block(self.blocks[-1].hash, txs))
        for a, b, v in txs:
            self.balances[a] = self.balances.get(a, 100) - v
            self.balances[b] = self.balances.get(b, 100) + v

    def valid(self):
        return all(b.prev == a.hash for a, b in zip(self.blocks, self.blocks[1:]))


c = Chain()
for i in range(6000):
    c.add([(f"u{random.randrange(500)}", f"u{random.randrange(500)}", random.randrange(9)) for _ in range(25)])
print(c.valid(), sum(c.balances.values()))
