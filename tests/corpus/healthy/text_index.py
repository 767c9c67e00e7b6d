"""An index in memory, kept on purpose: documents are read once, then asked for."""
import collections
import random

rng = random.Random(7)
vocabulary = [f"word{n}" for n in range(5000)]
documents, index = {}, collections.defaultdict(list)
for number in range(6000):
    words = rng.choices(vocabulary, k=60)
    documents[number] = " ".join(words)
    for word in set(words):
        index[word].append(number)
hits = 0
for _ in range(6000):
    first, second = rng.sample(vocabulary, 2)
    both = set(index[first]) & set(index[second])
    hits += sum(len(documents[number]) for number in both)
print(hits > 0)
