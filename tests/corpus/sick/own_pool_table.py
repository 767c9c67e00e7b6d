"""Scores of routes by a table of distances, in worker processes."""
import multiprocessing
import random


def make(size):
    rng = random.Random(4)
    return [[rng.random() for _ in range(size)] for _ in range(size)]


def score(table, seed):
    rng = random.Random(seed)
    size = len(table)
    at, total = 0, 0.0
    for _ in range(20_000):
        to = rng.randrange(size)
        total += table[at][to]
        at = to
    return total


def run(table, jobs):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.starmap(score, [(table, seed) for seed in range(jobs)], chunksize=1)


def main():
    table = make(500)
    best = min(run(table, 60))
    print(round(best))


if __name__ == "__main__":
    main()
