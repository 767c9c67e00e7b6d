"""A simulation of agents that are born, move house and die; each year's census is kept for the chart at the end."""

import random

random.seed(28)


class Person:
    __slots__ = ("age", "home", "children", "parent")

    def __init__(self, home, parent=None):
        self.age, self.home, self.children, self.parent = 0, home, [], parent


class City:
    def __init__(self):
        self.people = [Person(random.randrange(100)) for _ in range(3000)]
        for p in self.people:
            p.age = random.randrange(60)
        self.census = []

    def year(self):
        born = []
        for p in self.people:
            p.age += 1
            if 20 < p.age < 40 and random.random() < 0.07:
                child = Person(p.home, p)
                p.children.append(child)
                born.append(child)
            if random.random() < 0.1:
                p.home = random.randrange(100)
        gone = [p for p in self.people if p.age > 60 + random.randrange(40)]
        for p in gone:
            if p.parent:
                p.parent.children.remove(p)
            for c in p.children:
                c.parent = None
        dead = set(map(id, gone))
        self.people = [p for p in self.people if id(p) not in dead] + born
        self.census.append((len(self.people), len(born), len(gone)))

    def chart(self):
        most = max(n for n, _, _ in self.census)
        return "\n".join("#" * (n * 60 // most) for n, _, _ in self.census)


city = City()
for _ in range(160):
    city.year()
print(len(city.chart()))
