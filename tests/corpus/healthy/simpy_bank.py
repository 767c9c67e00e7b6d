"""Customers wait at a bank that is simulated."""

import random
import statistics

try:
    import simpy
except ImportError:
    raise SystemExit
random.seed(1)


def cust(env, name, c, stat, store):
    t = env.now
    with c.request() as r:
        res = yield r | env.timeout(random.expovariate(1 / 20))
        stat.append(env.now - t)
        if r in res:
            yield env.timeout(random.expovariate(1 / 8))
            yield store.put(name)


def drain(env, store):
    while True:
        yield store.get()


tot = []
for run in range(6):
    env = simpy.Environment()
    c = simpy.Resource(env, 2)
    st = simpy.Store(env, 100)
    stat = []
    env.process(drain(env, st))

    def gen():
        for i in range(8000):
            env.process(cust(env, i, c, stat, st))
            yield env.timeout(random.expovariate(1 / 5))

    env.process(gen())
    env.run(until=60000)
    tot.append(statistics.mean(stat))
print([round(x, 2) for x in tot])
