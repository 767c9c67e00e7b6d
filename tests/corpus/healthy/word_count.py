"""Words of a long text are counted; the ten most frequent are printed."""
import collections
import random

rng = random.Random(11)
counts = collections.Counter()
for line in range(60_000):
    words = [f"w{int(rng.paretovariate(0.7)) % 400_000}" for _ in range(12)]
    counts.update(words)
print(counts.most_common(10)[0][1] > 0, len(counts) > 1000)
