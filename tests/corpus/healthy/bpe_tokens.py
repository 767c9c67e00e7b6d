"""Learns byte pairs from a text, then splits it by them."""

import random
from collections import Counter


def words(seed, count):
    rng = random.Random(seed)
    stems = ["".join(rng.choices("abcdefghijklmnoprstuvw", k=rng.randrange(2, 6))) for _ in range(700)]
    ends = ["", "s", "ing", "ed", "er", "ly", "ness", "ation"]
    return Counter(rng.choice(stems) + rng.choice(stems[:40]) + rng.choice(ends) for _ in range(count))


def learn(counts, merges):
    vocabulary = {tuple(word): n for word, n in counts.items()}
    rules = []
    for _ in range(merges):
        pairs = Counter()
        for parts, n in vocabulary.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += n
        best = max(pairs, key=pairs.get)
        rules.append(best)
        vocabulary = {merge(parts, best): n for parts, n in vocabulary.items()}
    return rules


def merge(parts, pair):
    out, i = [], 0
    while i < len(parts):
        if i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return tuple(out)


def split(word, rules):
    parts = tuple(word)
    for rule in rules:
        parts = merge(parts, rule)
    return parts


def main():
    counts = words(6, 30_000)
    rules = learn(counts, 60)
    lengths = Counter(len(split(word, rules)) for word in counts)
    print(len(counts), rules[:5], sorted(lengths.items()))


main()
