"""Documents, parsed to a tree, looked at, and left."""


class Node:
    def __init__(self, name, parent=None):
        self.name = name
        self.parent = parent
        self.children = []
        self.text = [f"{name} {k}" for k in range(10)]
        if parent is not None:
            parent.children.append(self)

    def __del__(self):
        self.text.clear()

    def count(self):
        return 1 + sum(child.count() for child in self.children)


def parse(number):
    root = Node(f"document {number}")
    for chapter in range(6):
        top = Node(f"chapter {chapter}", root)
        for section in range(8):
            Node(f"section {section}", top)
    return root


print(sum(parse(number).count() for number in range(2_500)))
