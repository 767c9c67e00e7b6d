"""A game: entities that come and go, events, a picture of each step."""

import math
import random
import sys

random.seed(5)


class V:
    __slots__ = ("x", "y")

    def __init__(s, x, y):
        s.x = x
        s.y = y

    def __add__(s, o):
        return V(s.x + o.x, s.y + o.y)

    def __mul__(s, k):
        return V(s.x * k, s.y * k)


class Ent:
    def __init__(s, w, p, v, ttl):
        s.w, s.p, s.v, s.ttl, s.alive = w, p, v, ttl, True

    def tick(s, dt):
        s.p = s.p + s.v * dt
        s.ttl -= dt
        s.alive = s.ttl > 0


class World:
    def __init__(s):
        s.e = []
        s.handlers = {}
        s.score = 0
        s.frame = 0

    def on(s, ev, f):
        s.handlers.setdefault(ev, []).append(f)

    def emit(s, ev, *a):
        for f in s.handlers.get(ev, ()):
            f(*a)

    def step(s, dt):
        s.frame += 1
        if random.random() < 0.7:
            s.e.append(Ent(s, V(random.random() * 100, 0), V(0, random.random() * 9), random.random() * 8))
        grid = {}
        for e in s.e:
            e.tick(dt)
            grid.setdefault((int(e.p.x) // 5, int(e.p.y) // 5), []).append(e)
        for c in grid.values():
            for i, a in enumerate(c):
                for b in c[i + 1 :]:
                    if math.hypot(a.p.x - b.p.x, a.p.y - b.p.y) < 0.4:
                        a.alive = False
                        s.emit("hit", a, b)
        s.e = [e for e in s.e if e.alive]
        return "".join(".#"[(x, 0) in grid] for x in range(20))


w = World()
w.on("hit", lambda a, b: setattr(w, "score", w.score + 1))
for i in range(12000):
    row = w.step(1 / 60)
print(w.score, len(w.e) > 0, len(row))
