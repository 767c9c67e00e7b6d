"""A weak dictionary whose values hold their keys."""
import time
import weakref


class Node:
    def __init__(self, number):
        self.number = number


class Layout:
    def __init__(self, node):
        self.node = node
        self.cells = [node.number] * 300


LAYOUTS = weakref.WeakKeyDictionary()                       # culprit
for i in range(2000):
    node = Node(i)
    LAYOUTS[node] = Layout(node)
time.sleep(0.2)
print(len(LAYOUTS))
