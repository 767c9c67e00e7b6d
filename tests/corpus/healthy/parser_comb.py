"""A parser made of functions reads a large document into a tree, which is then printed again."""

import random

random.seed(27)


def make(depth):
    if depth == 0:
        return random.choice([str(random.randrange(1000)), '"text%d"' % random.randrange(100), "true"])
    if random.random() < 0.5:
        return "[" + ", ".join(make(depth - 1) for _ in range(5)) + "]"
    return "{" + ", ".join(f'"k{i}": {make(depth - 1)}' for i in range(5)) + "}"


class Node:
    def __init__(self, kind, items):
        self.kind, self.items = kind, items


class Parser:
    def __init__(self, text):
        self.text, self.at = text, 0

    def skip(self):
        while self.at < len(self.text) and self.text[self.at] in " ,:\n":
            self.at += 1

    def value(self):
        self.skip()
        c = self.text[self.at]
        if c in "[{":
            self.at += 1
            items = []
            while self.skip() or self.text[self.at] not in "]}":
                items.append(self.value())
            self.at += 1
            return Node(c, items)
        if c == '"':
            end = self.text.index('"', self.at + 1)
        else:
            end = self.at
            while self.text[end] not in ",]} ":
                end += 1
        found, self.at = self.text[self.at : end + (c == '"')], end + (c == '"')
        return Node("leaf", [found])


def shown(node):
    if node.kind == "leaf":
        return node.items[0]
    return node.kind + " ".join(map(shown, node.items)) + ("]" if node.kind == "[" else "}")


n = 0
for k in range(8):
    tree = Parser(make(6) + " ").value()
    n += len(shown(tree))
print(n)
