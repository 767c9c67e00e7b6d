"""A tree of letters is loaded, then serves requests."""

import random


class Node:
    __slots__ = ("kids", "weight")

    def __init__(self):
        self.kids, self.weight = {}, 0


random.seed(5)
root = Node()


def add(word, w):
    n = root
    for ch in word:
        n = n.kids.setdefault(ch, None) or n.kids.__setitem__(ch, Node()) or n.kids[ch]
    n.weight += w


def best(prefix, k=5):
    n = root
    for ch in prefix:
        n = n.kids.get(ch)
        if n is None:
            return []
    out, stack = [], [(prefix, n)]
    while stack:
        p, n = stack.pop()
        if n.weight:
            out.append((n.weight, p))
        stack.extend((p + c, m) for c, m in n.kids.items())
    return sorted(out, reverse=True)[:k]


words = ["".join(random.choices("abcdefgh", k=random.randrange(3, 9))) for _ in range(40000)]
for w in words:
    add(w, random.randrange(1, 99))
print(sum(len(best(random.choice(words)[:3])) for _ in range(3000)))
