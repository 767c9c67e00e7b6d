"""A model of a text is trained, kept, and used to write."""
import collections
import random

rng = random.Random(9)
words = [f"word{int(rng.paretovariate(0.8)) % 20_000}" for _ in range(300_000)]
model = collections.defaultdict(list)
for a, b, c in zip(words, words[1:], words[2:]):
    model[a, b].append(c)
size = 0
for n in range(3000):
    state = words[n], words[n + 1]
    for _ in range(60):
        follow = model.get(state)
        if not follow:
            break
        state = state[1], rng.choice(follow)
        size += len(state[1])
print(size > 0)
