"""A geo lookup: the parent loads the table, forks workers, and each of them answers from the table it was born with."""
import os
import random
import time


def load(count):
    rng = random.Random(77)
    starts = sorted(rng.sample(range(10 ** 9), count))
    return [[start, start * 7 % 249] for start in starts]


def lookup(table, address):
    low, high = 0, len(table)
    while high - low > 1:
        middle = (low + high) // 2
        if table[middle][0] <= address:
            low = middle
        else:
            high = middle
    return table[low][1]


def serve(table, seed, requests):
    rng = random.Random(seed)
    counts = {}
    for _ in range(requests):
        country = lookup(table, rng.randrange(10 ** 9))
        counts[country] = counts.get(country, 0) + 1
    time.sleep(0.4)
    return len(counts)


def main():
    table = load(250_000)
    children = []
    for worker in range(3):
        pid = os.fork()
        if pid == 0:
            os._exit(0 if serve(table, worker, 40_000) else 1)
        children.append(pid)
    print([os.waitpid(pid, 0)[1] for pid in children])


if __name__ == "__main__":
    main()
