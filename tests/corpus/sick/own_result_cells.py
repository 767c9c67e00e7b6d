"""Merges feeds until enough was read."""
import heapq


class Reader:
    def __init__(self):
        self.streams = {}

    def feed(self, name, size):
        data = [(n * 7 + size) % 1_000 for n in range(size)]
        data.sort()
        yield from data

    def top(self, name):
        stream = self.streams[name] = heapq.merge(*(self.feed(f"{name}/{k}", 150 + k) for k in range(4)))
        return next(stream)


reader = Reader()
print(sum(reader.top(f"user {number}") for number in range(2_500)))
