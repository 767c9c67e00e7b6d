"""Shortest ways in a map of 40,000 crossings: the map is built, and asked for a few hundred ways with a cache of trees."""

import heapq
import random
from functools import lru_cache

SIDE = 150


def build(seed):
    rng, roads = random.Random(seed), {}
    for x in range(SIDE):
        for y in range(SIDE):
            here = roads.setdefault((x, y), [])
            for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1)):
                if 0 <= x + dx < SIDE and 0 <= y + dy < SIDE and rng.random() < 0.9:
                    here.append(((x + dx, y + dy), rng.uniform(1, 5)))
    return roads


ROADS = build(4)


@lru_cache(maxsize=8)
def tree(start):
    best, queue = {start: 0.0}, [(0.0, start)]
    while queue:
        cost, at = heapq.heappop(queue)
        if cost > best[at]:
            continue
        for to, length in ROADS[at]:
            reached = cost + length
            if reached < best.get(to, 1e9):
                best[to] = reached
                heapq.heappush(queue, (reached, to))
    return best


def main():
    rng = random.Random(2)
    towns = [(rng.randrange(SIDE), rng.randrange(SIDE)) for _ in range(14)]
    total = 0.0
    for _ in range(60):
        a, b = rng.choice(towns), rng.choice(towns)
        total += tree(a).get(b, 0.0)
    print(len(ROADS), round(total), tree.cache_info().hits)


main()
