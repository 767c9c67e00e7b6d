"""Log lines by generators: parsed, cut into sessions that end after a while, summed."""

import random
from collections import Counter

random.seed(7)


def lines():
    t = 0
    for i in range(600000):
        t += random.expovariate(20)
        yield f"{t:.3f} 10.0.{random.randrange(40)}.{random.randrange(200)} GET /p{random.randrange(300)} {random.choice((200, 200, 304, 404))}"


def parsed(src):
    for l in src:
        t, ip, verb, path, status = l.split()
        yield float(t), ip, path, int(status)


def sessions(src, gap=30):
    open_, last = {}, 0
    for t, ip, path, status in src:
        s = open_.get(ip)
        if s and t - s[-1][0] > gap:
            yield ip, open_.pop(ip)
            s = None
        if s is None:
            s = open_[ip] = []
        s.append((t, path))
        if t - last > 5:
            last = t
            for k in [k for k, v in open_.items() if t - v[-1][0] > gap]:
                yield k, open_.pop(k)
    yield from open_.items()


n = Counter()
for ip, s in sessions(parsed(lines())):
    n[min(len(s), 20)] += 1
print(sum(n.values()))
