"""An inverted index is built in blocks, merged, and kept as the result; then a few questions."""

import random
from array import array

random.seed(4)
WORDS = [f"w{int(random.paretovariate(0.9)) % 30000}" for _ in range(40000)]


class Index:
    def __init__(self):
        self.postings, self.lengths = {}, array("I")

    def add(self, doc, words):
        for w in set(words):
            self.postings.setdefault(w, array("I")).append(doc)
        self.lengths.append(len(words))

    def both(self, a, b):
        return len(set(self.postings.get(a, ())) & set(self.postings.get(b, ())))


ix = Index()
for doc in range(25000):
    ix.add(doc, random.choices(WORDS, k=40))
print(sum(ix.both(random.choice(WORDS), random.choice(WORDS)) for _ in range(500)) > 0, len(ix.postings))
