"""Bills of materials are read, priced, and dropped."""
import random
import weakref


class Assembly:
    def __init__(self, name):
        self.name = name
        self.parts = []
        self.notes = "assembled from drawing " + name * 30

    def add(self, name, cost):
        part = Part(self, name, cost)
        self.parts.append(part)
        return part

    def total(self):
        return sum(part.cost + part.share() for part in self.parts)


class Part:
    def __init__(self, assembly, name, cost):
        self._assembly = weakref.ref(assembly)
        self.name = name
        self.cost = cost

    @property
    def assembly(self):
        return self._assembly()

    def share(self):
        return len(self.assembly.name) * 0.01


def price(number, rng):
    machine = Assembly(f"machine {number}")
    for i in range(60):
        machine.add(f"part {number}-{i}", rng.random() * 10)
    return machine.total()


def main():
    rng = random.Random(4)
    best = 0.0
    for number in range(12_000):
        best = max(best, price(number, rng))
    print(round(best, 2))


if __name__ == "__main__":
    main()
