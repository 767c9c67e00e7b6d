"""An event log in JSON lines: how many events of each kind."""
import json
import os
import random
import tempfile
from collections import Counter

KINDS = ["click", "view", "buy", "leave"]


def write(path, count):
    rng = random.Random(3)
    with open(path, "w") as f:
        for number in range(count):
            f.write(json.dumps({"id": number, "kind": rng.choice(KINDS), "user": rng.randrange(9000),
                                "agent": "Mozilla/5.0 (X11; Linux x86_64)", "page": "/shop/item/%d" % rng.randrange(5000)}) + "\n")


def count(path):
    kinds = Counter()
    users = set()
    with open(path) as f:
        lines = f.read().splitlines()
        for line in lines:
            event = json.loads(line)
            kinds[event["kind"]] += 1
            users.add(event["user"])
    return kinds, len(users)


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "events.jsonl")
        write(path, 180_000)
        print(count(path))


if __name__ == "__main__":
    main()
