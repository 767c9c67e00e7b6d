"""Feeds are polled; new entries are passed on."""
import random
import time


class Poller:
    seen = {}

    def __init__(self, feed):
        self.feed = feed

    def poll(self, rng):
        new = []
        for _ in range(20):
            entry = {"id": f"{self.feed}/{rng.randrange(10 ** 9)}", "title": "a title " * 5, "links": [self.feed] * 3}
            if entry["id"] not in self.seen:
                self.seen[entry["id"]] = entry
                new.append(entry)
        return new


def main():
    rng = random.Random(17)
    pollers = [Poller(f"feed-{n}") for n in range(12)]
    passed = 0
    for _ in range(150):
        for poller in pollers:
            passed += len(poller.poll(rng))
        time.sleep(0.01)
    print(passed)


if __name__ == "__main__":
    main()
