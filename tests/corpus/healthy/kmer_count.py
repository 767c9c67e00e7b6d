"""Counts the words of twelve letters in a genome, and looks up the most frequent and the unique ones."""

import random
from collections import defaultdict


def genome(length, seed=2):
    rng = random.Random(seed)
    repeat = "".join(rng.choices("ACGT", k=400))
    parts, size = [], 0
    while size < length:
        part = repeat if rng.random() < 0.2 else "".join(rng.choices("ACGT", k=400))
        parts.append(part)
        size += len(part)
    return "".join(parts)


def main():
    text, k = genome(600_000), 12
    counts = defaultdict(int)
    for start in range(len(text) - k + 1):
        counts[text[start : start + k]] += 1
    unique = sum(1 for n in counts.values() if n == 1)
    print(len(counts), unique, max(counts.items(), key=lambda kv: kv[1]))


main()
