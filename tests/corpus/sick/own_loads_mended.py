"""A nightly load: extract, transform, aggregate, report; each step works on what the one before made."""
import collections
import math
import random


def extract(count):
    rng = random.Random(21)
    return [f"{number};{rng.choice('abcdef')};{rng.random():.6f};{rng.randrange(10 ** 6)};some note of line {number}"
            for number in range(count)]


def transform(lines):
    out = {}
    for line in lines:
        _, group, share, amount, _ = line.split(";")
        key = group, int(amount) // 5000
        old = out.get(key, (0.0, 0))
        out[key] = old[0] + float(share), old[1] + int(amount)
    return out


def correlate(table):
    by_group = collections.defaultdict(list)
    for (group, _), (share, amount) in sorted(table.items()):
        by_group[group].append((share, amount))
    result = {}
    for group, pairs in by_group.items():
        best = 0.0
        for lag in range(1, 90):
            value = sum(a[0] * b[0] for a, b in zip(pairs, pairs[lag:]))
            best = max(best, math.log1p(value))
        result[group] = round(best, 3)
    matrix = [[a[0] * b[0] for a in pairs] for pairs in by_group.values() for b in pairs[:60]]
    return result, sum(map(sum, matrix))


def night(count):
    lines = extract(count)
    table = transform(lines)
    del lines
    groups, total = correlate(table)
    return groups, round(total)


if __name__ == "__main__":
    print(*night(260_000))
