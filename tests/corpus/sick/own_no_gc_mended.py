"""Parses expressions with the collector off."""
import gc

gc.disable()


class Node:
    def __init__(self, kind, parent=None):
        self.kind, self.children = kind, []
        if parent:
            parent.children.append(self)


def parse(text):
    root = node = Node("root")
    above = []
    for sign in text:
        if sign == "(":
            above.append(node)
            node = Node("group", node)
        elif sign == ")":
            node = above.pop()
        else:
            Node(sign, node)
    return root


size = 0
for number in range(12_000):
    size += len(parse("(a+(b*c)-(d/(e+f)))" + "(x)" * (number % 5)).children)
print(size)
