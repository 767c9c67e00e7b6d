"""Texts are aligned by dynamic programming with functools.cache: its table is the algorithm."""
import functools
import random
import sys

sys.setrecursionlimit(20_000)
rng = random.Random(2)
first, second = ("".join(rng.choices("acgt", k=700)) for _ in range(2))


@functools.cache
def distance(i, j):
    if i == 0 or j == 0:
        return i + j
    if first[i - 1] == second[j - 1]:
        return distance(i - 1, j - 1)
    return 1 + min(distance(i - 1, j), distance(i, j - 1), distance(i - 1, j - 1))


for n in range(0, 701, 20):      # by and by, lest it recurse too deep
    distance(n, n)
print(distance(700, 700))
