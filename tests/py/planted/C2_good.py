"""The same trees, with weak references to the parents."""
import weakref


class Node:
    def __init__(self, name, parent=None):
        self.name = name
        self._parent = parent and weakref.ref(parent)
        self.children = []
        self.text = name * 50
        if parent is not None:
            parent.children.append(self)


def page(n):
    root = Node("page")
    for i in range(n):
        Node(f"part {i}", root)
    return len(root.children)


print(sum(page(300) for _ in range(400)))
