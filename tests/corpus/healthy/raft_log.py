"""Replicas with a log that is compacted."""

import random

random.seed(8)


class Node:
    def __init__(self):
        self.log, self.base, self.state, self.snap = [], 0, {}, {}

    def append(self, e):
        self.log.append(e)
        self.state[e[0]] = e[1]
        if len(self.log) > 5000:
            self.snap = dict(self.state)
            self.base += len(self.log)
            self.log = []


nodes = [Node() for _ in range(5)]
pending = []
for term in range(150000):
    pending.append((f"key{random.randrange(2000)}", term))
    if len(pending) >= 10:
        for n in nodes:
            for e in pending:
                n.append(e)
        pending = []
print(len({tuple(sorted(n.state.items())) for n in nodes}))
