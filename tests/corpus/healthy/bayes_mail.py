"""A classifier learns word counts, then judges."""

import math
import random
from collections import defaultdict

random.seed(6)


class Bayes:
    def __init__(self):
        self.words, self.total, self.docs = defaultdict(lambda: [0, 0]), [0, 0], [0, 0]

    def learn(self, words, cls):
        self.docs[cls] += 1
        for w in words:
            self.words[w][cls] += 1
            self.total[cls] += 1

    def judge(self, words):
        s = math.log(self.docs[1] / self.docs[0])
        n = len(self.words)
        for w in words:
            c = self.words.get(w, (0, 0))
            s += math.log((c[1] + 1) / (self.total[1] + n)) - math.log((c[0] + 1) / (self.total[0] + n))
        return s > 0


def mail(cls):
    return [f"w{int(random.gauss(20000 + 6000 * cls, 9000))}" for _ in range(60)]


b = Bayes()
for i in range(15000):
    b.learn(mail(i % 2), i % 2)
print(sum(b.judge(mail(i % 2)) == i % 2 for i in range(4000)) > 3500)
