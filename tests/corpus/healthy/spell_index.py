"""A spelling helper: a tree of words by edit distance grows as texts are read, and is asked all the while."""

import random


class Tree:
    def __init__(self):
        self.root = None
        self.size = 0

    def add(self, word):
        if self.root is None:
            self.root = (word, {})
            self.size = 1
            return
        node = self.root
        while True:
            distance = edits(word, node[0])
            if not distance:
                return
            if distance not in node[1]:
                node[1][distance] = (word, {})
                self.size += 1
                return
            node = node[1][distance]

    def near(self, word, most):
        found, todo = [], [self.root]
        while todo:
            text, children = todo.pop()
            distance = edits(word, text)
            if distance <= most:
                found.append((distance, text))
            todo += [child for key, child in children.items() if distance - most <= key <= distance + most]
        return sorted(found)


def edits(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def main():
    rng, tree = random.Random(4), Tree()
    parts = "ka to re mi nu sa lo ve di po ha ri ge zu".split()
    asked = hits = 0
    for n in range(2500):
        tree.add("".join(rng.choices(parts, k=rng.randrange(2, 5))))
        if n % 40 == 0:
            asked += 1
            hits += bool(tree.near("".join(rng.choices(parts, k=3)), 1))
    print(tree.size, asked, hits)


main()
