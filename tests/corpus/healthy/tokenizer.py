"""Byte pairs are merged step by step: a vocabulary is learnt, then texts are encoded."""

import random
from collections import Counter

random.seed(23)
words = Counter("".join(random.choices("abcdefghijk", weights=range(11, 0, -1), k=random.randrange(3, 9))) for _ in range(20_000))
split = {w: tuple(w) for w in words}
merges = []
for step in range(120):
    pairs = Counter()
    for w, n in words.items():
        for pair in zip(split[w], split[w][1:]):
            pairs[pair] += n
    if not pairs:
        break
    best = max(pairs, key=pairs.get)
    merges.append(best)
    for w, parts in split.items():
        if best[0] in parts:
            out, i = [], 0
            while i < len(parts):
                if parts[i : i + 2] == best:
                    out.append(parts[i] + parts[i + 1])
                    i += 2
                else:
                    out.append(parts[i])
                    i += 1
            split[w] = tuple(out)
print(len(merges), sum(len(split[w]) * n for w, n in words.items()))
