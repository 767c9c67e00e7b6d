"""A scene of nodes with weak parents; parts of it are thrown away and made anew."""

import random
import weakref

random.seed(29)


class Node:
    def __init__(self, name, parent=None):
        self.name, self.children, self.data = name, [], [0.0] * 16
        self._parent = weakref.ref(parent) if parent is not None else None
        if parent is not None:
            parent.children.append(self)

    def path(self):
        parent = self._parent and self._parent()
        return (parent.path() + "/" if parent else "") + self.name


root, named = Node("root"), weakref.WeakValueDictionary()
for frame in range(3000):
    if len(root.children) > 60:
        del root.children[random.randrange(len(root.children))]
    top = Node(f"group{frame}", root)
    for i in range(25):
        node = Node(f"part{i}", top)
        named[node.path()] = node
print(len(named), len(root.children))
