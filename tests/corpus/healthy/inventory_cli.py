"""A stock list that reads commands, keeps its data in memory with an undo of fifty steps, and saves it as JSON."""

import copy
import json
import random
import tempfile
from collections import deque
from pathlib import Path


class Stock:
    def __init__(self):
        self.items, self.undo = {}, deque(maxlen=50)

    def do(self, line):
        word, *rest = line.split()
        if word == "undo":
            if self.undo:
                name, old = self.undo.pop()
                if old is None:
                    self.items.pop(name, None)
                else:
                    self.items[name] = old
        elif word == "add":
            name, count, *tags = rest
            self.undo.append((name, copy.deepcopy(self.items.get(name))))
            item = self.items.setdefault(name, {"count": 0, "tags": [], "moves": 0})
            item["count"] += int(count)
            item["moves"] += 1
            item["tags"] = sorted({*item["tags"], *tags})
        elif word == "take":
            name, count = rest
            if name in self.items:
                self.undo.append((name, copy.deepcopy(self.items[name])))
                self.items[name]["count"] = max(0, self.items[name]["count"] - int(count))
        elif word == "total":
            return sum(item["count"] for item in self.items.values())


def commands(rng, count):
    for _ in range(count):
        kind = rng.random()
        name = f"part-{int(rng.expovariate(1 / 800))}"
        if kind < 0.5:
            yield f"add {name} {rng.randrange(1, 30)} {rng.choice(('steel', 'brass', 'wood'))} shelf{rng.randrange(40)}"
        elif kind < 0.85:
            yield f"take {name} {rng.randrange(1, 10)}"
        elif kind < 0.95:
            yield "undo"
        else:
            yield "total"


def main():
    stock, last = Stock(), None
    for line in commands(random.Random(12), 60_000):
        answer = stock.do(line)
        last = answer if answer is not None else last
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "stock.json")
        path.write_text(json.dumps(stock.items, indent=1))
        again = json.loads(path.read_text())
    print(last, len(again))


main()
