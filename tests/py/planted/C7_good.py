"""The layout is kept on the node itself."""
import time


class Node:
    def __init__(self, number):
        self.number = number
        self.layout = None


class Layout:
    def __init__(self, node):
        self.cells = [node.number] * 300


for i in range(2000):
    node = Node(i)
    node.layout = Layout(node)
time.sleep(0.2)
print(node.number)
