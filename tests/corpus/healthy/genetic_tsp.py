"""A tour is bred: a population of routes, crossing and change, the best of each generation is kept for the plot."""

import math
import random


def length(route, towns):
    return sum(math.dist(towns[a], towns[b]) for a, b in zip(route, route[1:] + route[:1]))


def cross(a, b, rng):
    i, j = sorted(rng.sample(range(len(a)), 2))
    middle = a[i:j]
    chosen = set(middle)
    rest = [t for t in b if t not in chosen]
    return rest[:i] + middle + rest[i:]


def main():
    rng = random.Random(1)
    towns = [(rng.random(), rng.random()) for _ in range(60)]
    population = [rng.sample(range(60), 60) for _ in range(120)]
    bests = []
    for generation in range(150):
        population.sort(key=lambda route: length(route, towns))
        bests.append((generation, length(population[0], towns), population[0][:]))
        parents = population[:40]
        children = []
        while len(children) < 80:
            child = cross(*rng.sample(parents, 2), rng)
            if rng.random() < 0.3:
                i, j = sorted(rng.sample(range(60), 2))
                child[i:j] = child[i:j][::-1]
            children.append(child)
        population = parents + children
    print(f"{bests[0][1]:.2f} {bests[-1][1]:.2f}", len({tuple(b[2]) for b in bests}))


main()
