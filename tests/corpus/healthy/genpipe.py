"""A pipeline of generators over compressed CSV."""

import collections
import csv
import gzip
import io
import itertools
import operator


def src(n):
    for i in range(n):
        yield f"{i},{i % 37},{(i * 7919) % 1000 / 10},tag{i % 11}\n"


def parse(it):
    for r in csv.reader(it):
        yield {"id": int(r[0]), "k": int(r[1]), "v": float(r[2]), "t": r[3]}


def window(it, n):
    d = collections.deque(maxlen=n)
    for x in it:
        d.append(x)
        yield x, sum(y["v"] for y in d) / len(d)


def batch(it, n):
    it = iter(it)
    while b := list(itertools.islice(it, n)):
        yield b


agg = collections.defaultdict(float)
with gzip.open("o.gz", "wt") as f:
    for b in batch(window(parse(src(120000)), 10), 1000):
        for x, a in b:
            agg[x["t"], x["k"]] += a
        f.writelines(f"{x['id']}\t{a:.2f}\n" for x, a in b)
print(len(agg), round(sum(agg.values())))
