"""Parses expressions with the collector off."""
import gc

gc.disable()


class Node:
    def __init__(self, kind, parent=None):
        self.kind, self.parent, self.children = kind, parent, []
        if parent:
            parent.children.append(self)


def parse(text):
    root = node = Node("root")
    for sign in text:
        if sign == "(":
            node = Node("group", node)
        elif sign == ")":
            node = node.parent
        else:
            Node(sign, node)
    return root


size = 0
for number in range(12_000):
    size += len(parse("(a+(b*c)-(d/(e+f)))" + "(x)" * (number % 5)).children)
print(size)
