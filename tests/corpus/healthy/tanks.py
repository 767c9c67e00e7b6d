"""A game: entities of components come and go, a score board stays."""

import random

random.seed(1)


class World:
    def __init__(self):
        self.next, self.pos, self.vel, self.life, self.scores = 0, {}, {}, {}, []

    def spawn(self, x, y, vx, vy, life):
        self.next += 1
        e = self.next
        self.pos[e], self.vel[e], self.life[e] = [x, y], (vx, vy), life
        return e

    def kill(self, e):
        for d in (self.pos, self.vel, self.life):
            d.pop(e, None)

    def tick(self, t):
        grid = {}
        for e, p in self.pos.items():
            v = self.vel[e]
            p[0] = (p[0] + v[0]) % 100
            p[1] = (p[1] + v[1]) % 100
            grid.setdefault((int(p[0]), int(p[1])), []).append(e)
        hit = [e for es in grid.values() if len(es) > 1 for e in es if random.random() < 0.3]
        for e in hit:
            self.kill(e)
        for e in list(self.life):
            self.life[e] -= 1
            if self.life[e] <= 0:
                self.kill(e)
        for _ in range(60):
            self.spawn(
                random.uniform(0, 100), random.uniform(0, 100), random.uniform(-1, 1), random.uniform(-1, 1), random.randrange(10, 60)
            )
        if t % 50 == 0:
            self.scores.append((t, len(self.pos)))


w = World()
for t in range(1500):
    w.tick(t)
print(w.scores[-1])
