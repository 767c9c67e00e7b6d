"""Pages are indexed for full text as they come in, and searched with a ranking; the index is what the program is for."""

import math
import random
import re
from collections import Counter, defaultdict

WORD = re.compile(r"[a-z]+")


class Index:
    def __init__(self):
        self.postings, self.lengths, self.titles = defaultdict(dict), {}, {}

    def add(self, number, title, text):
        words = Counter(WORD.findall(text.lower()))
        for word, count in words.items():
            self.postings[word][number] = count
        self.lengths[number] = sum(words.values())
        self.titles[number] = title

    def search(self, query, most=10):
        mean, scores = sum(self.lengths.values()) / len(self.lengths), defaultdict(float)
        for word in WORD.findall(query.lower()):
            found = self.postings.get(word, {})
            rare = math.log(1 + (len(self.lengths) - len(found) + 0.5) / (len(found) + 0.5))
            for number, count in found.items():
                scores[number] += rare * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * self.lengths[number] / mean))
        return [self.titles[n] for n in sorted(scores, key=scores.get, reverse=True)[:most]]


def main():
    rng, index = random.Random(7), Index()
    words = ["".join(rng.choices("aeioubcdfglmnprst", k=rng.randrange(3, 9))) for _ in range(5000)]
    weights = [1 / (n + 1) for n in range(5000)]
    hits = 0
    for n in range(1800):
        index.add(n, f"page {n}", " ".join(rng.choices(words, weights, k=rng.randrange(60, 260))))
        if n % 10 == 0:
            hits += len(index.search(" ".join(rng.choices(words, weights, k=3))))
    print(len(index.postings), hits)


main()
