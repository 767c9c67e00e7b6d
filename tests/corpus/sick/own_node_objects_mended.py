"""Counts degrees in a graph."""


class Item:
    __slots__ = ()


class Edge(Item):
    __slots__ = ("source", "target", "weight")

    def __init__(self, source, target, weight):
        self.source = source
        self.target = target
        self.weight = weight


def connect(count):
    return [Edge(n % 1_000, n % 997, n % 13) for n in range(count)]


degrees, edges = {}, connect(200_000)
for edge in edges:
    degrees[edge.source] = degrees.get(edge.source, 0) + edge.weight
for edge in edges:
    degrees[edge.target] = degrees.get(edge.target, 0) + edge.weight
print(max(degrees.values()))
