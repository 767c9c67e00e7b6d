"""A strategy game in small: units move on a map, fight, are removed and replaced; a log keeps the last fifty lines."""
import collections
import random

random.seed(12)


class Unit:
    __slots__ = ("team", "x", "y", "health", "orders")

    def __init__(self, team, x, y):
        self.team, self.x, self.y, self.health = team, x, y, 10
        self.orders = collections.deque(maxlen=8)


class World:
    def __init__(self, size, number):
        self.size, self.at, self.log = size, {}, collections.deque(maxlen=50)
        self.score = collections.Counter()
        for n in range(number):
            self.place(n % 2)

    def place(self, team):
        while True:
            x, y = random.randrange(self.size), random.randrange(self.size)
            if (x, y) not in self.at:
                self.at[x, y] = Unit(team, x, y)
                return

    def turn(self, number):
        for unit in list(self.at.values()):
            if unit.health <= 0:
                continue
            to = (unit.x + random.choice((-1, 0, 1))) % self.size, (unit.y + random.choice((-1, 0, 1))) % self.size
            unit.orders.append((number, to))
            other = self.at.get(to)
            if other is None:
                del self.at[unit.x, unit.y]
                unit.x, unit.y = to
                self.at[to] = unit
            elif other.team != unit.team:
                other.health -= random.randrange(1, 6)
                if other.health <= 0:
                    del self.at[to]
                    self.score[unit.team] += 1
                    self.log.append(f"turn {number}: team {unit.team} took {to} with {unit.health} left")
                    self.place(other.team)


world = World(70, 900)
for number in range(250):
    world.turn(number)
print(world.score, len(world.log))
