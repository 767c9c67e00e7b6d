"""A trace collector: spans of many services arrive as lines; names are interned to compare them quickly."""
import collections
import random


class Symbols:
    """Gives the same string object for equal names."""

    def __init__(self):
        self.table = {}

    def intern(self, name):
        known = self.table.get(name)
        if known is None:
            known = self.table[name] = name
        return known


class Collector:
    def __init__(self):
        self.symbols = Symbols()
        self.latest = collections.deque(maxlen=1000)
        self.errors = collections.Counter()

    def feed(self, line):
        trace, service, operation, took = line.split(" ")
        service = self.symbols.intern(service)
        operation = self.symbols.intern(operation)
        self.latest.append((trace, service, operation, int(took)))
        if int(took) > 990:
            self.errors[service] += 1


def lines(count):
    rng = random.Random(40)
    operations = [f"rpc/Service{number}/Call{number % 9}" for number in range(120)]
    for _ in range(count):
        trace = "%032x" % rng.getrandbits(128)
        for _ in range(rng.randrange(1, 4)):
            yield f"{trace} svc-{rng.randrange(30)} {rng.choice(operations)} {rng.randrange(1000)}"


def main():
    collector = Collector()
    count = 0
    for line in lines(70_000):
        collector.feed(line)
        count += 1
    print(count, len(collector.latest), sum(collector.errors.values()))


if __name__ == "__main__":
    main()
