"""A world of creatures: they eat, multiply, age and die; the population rises and settles."""

import random


class Creature:
    __slots__ = ("x", "y", "energy", "age", "genes", "parent_name")

    def __init__(self, x, y, genes, parent_name):
        self.x, self.y, self.energy, self.age = x, y, 10.0, 0
        self.genes, self.parent_name = genes, parent_name


class World:
    def __init__(self, size, seed):
        self.size, self.rng = size, random.Random(seed)
        self.food = {}
        self.alive = [
            Creature(self.rng.randrange(size), self.rng.randrange(size), [self.rng.random() for _ in range(6)], "first") for _ in range(50)
        ]
        self.history = []

    def grow(self):
        for _ in range(160):
            self.food[self.rng.randrange(self.size), self.rng.randrange(self.size)] = 6.0

    def step(self, day):
        self.grow()
        born = []
        for c in self.alive:
            c.x = (c.x + self.rng.choice((-1, 0, 1))) % self.size
            c.y = (c.y + self.rng.choice((-1, 0, 1))) % self.size
            c.energy += self.food.pop((c.x, c.y), 0) - 0.5 - c.genes[0] * 0.1
            c.age += 1
            if c.energy > 18:
                c.energy /= 2
                genes = [g + self.rng.gauss(0, 0.02) for g in c.genes]
                born.append(Creature(c.x, c.y, genes, f"day {day}"))
        self.alive = [c for c in self.alive if c.energy > 0 and c.age < 300] + born
        self.history.append((day, len(self.alive), len(self.food)))


def main():
    world = World(60, 8)
    for day in range(1200):
        world.step(day)
    peak = max(world.history, key=lambda row: row[1])
    print(len(world.alive), peak, sum(row[1] for row in world.history) / len(world.history))


main()
