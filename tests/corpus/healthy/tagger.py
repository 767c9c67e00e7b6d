"""A perceptron learns to tag words; its weights grow with the features it meets, and are averaged at the end."""

import random
from collections import defaultdict


class Perceptron:
    def __init__(self, classes):
        self.classes = classes
        self.weights, self.totals, self.stamps, self.i = {}, defaultdict(float), defaultdict(int), 0

    def predict(self, features):
        scores = defaultdict(float)
        for feature in features:
            for label, weight in self.weights.get(feature, {}).items():
                scores[label] += weight
        return max(self.classes, key=lambda label: (scores[label], label))

    def update(self, truth, guess, features):
        self.i += 1
        if truth == guess:
            return
        for feature in features:
            weights = self.weights.setdefault(feature, {})
            for label, by in ((truth, 1.0), (guess, -1.0)):
                key = (feature, label)
                self.totals[key] += (self.i - self.stamps[key]) * weights.get(label, 0.0)
                self.stamps[key] = self.i
                weights[label] = weights.get(label, 0.0) + by

    def average(self):
        for feature, weights in self.weights.items():
            self.weights[feature] = {
                label: (self.totals[feature, label] + (self.i - self.stamps[feature, label]) * w) / self.i for label, w in weights.items()
            }


def features(words, at):
    word = words[at]
    return [
        f"word={word}",
        f"end={word[-3:]}",
        f"start={word[0]}",
        f"before={words[at - 1] if at else '^'}",
        f"both={words[at - 1][-2:] if at else '^'}+{word[-2:]}",
    ]


def sentences(seed, count):
    rng = random.Random(seed)
    stems = ["".join(rng.choices("abdefgiklmnoprstu", k=rng.randrange(3, 7))) for _ in range(3000)]
    ends = {"noun": ["ung", "heit", "er"], "verb": ["en", "te", "st"], "adjective": ["ig", "lich", "bar"]}
    for _ in range(count):
        tags = rng.choices(list(ends), k=rng.randrange(4, 12))
        yield [rng.choice(stems) + rng.choice(ends[tag]) for tag in tags], tags


def main():
    tagger, data = Perceptron(["noun", "verb", "adjective"]), list(sentences(1, 1500))
    for _ in range(3):
        for words, tags in data:
            for at, tag in enumerate(tags):
                found = features(words, at)
                tagger.update(tag, tagger.predict(found), found)
    tagger.average()
    right = [tagger.predict(features(words, at)) == tag for words, tags in sentences(2, 100) for at, tag in enumerate(tags)]
    print(len(tagger.weights), sum(right) / len(right))


main()
