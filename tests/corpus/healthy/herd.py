"""An event simulation of a herd; its log is read at the end."""

import dataclasses
import heapq
import random
import statistics

random.seed(9)


@dataclasses.dataclass(order=True)
class Ev:
    t: float
    seq: int
    who: object = dataclasses.field(compare=False)
    what: str = dataclasses.field(compare=False)


class Sim:
    def __init__(s):
        s.q = []
        s.seq = 0
        s.now = 0
        s.log = []

    def at(s, dt, who, what):
        s.seq += 1
        heapq.heappush(s.q, Ev(s.now + dt, s.seq, who, what))

    def run(s, until):
        while s.q and s.q[0].t < until:
            e = heapq.heappop(s.q)
            s.now = e.t
            getattr(e.who, e.what)(s)


class Cow:
    def __init__(s, i):
        s.i = i
        s.w = 400 + random.random() * 50
        s.age = 0

    def eat(s, sim):
        s.w += random.random()
        sim.at(random.expovariate(2), s, "eat")

    def year(s, sim):
        s.age += 1
        sim.log.append((round(sim.now), s.i, round(s.w, 1)))
        if s.age < 6:
            sim.at(30, s, "year")


sim = Sim()
for i in range(600):
    c = Cow(i)
    sim.at(random.random(), c, "eat")
    sim.at(30, c, "year")
sim.run(200)
print(len(sim.log), round(statistics.mean(w for _, _, w in sim.log)))
