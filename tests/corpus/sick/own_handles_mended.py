"""Stores with handles that close themselves."""
import weakref


class Handle:
    closed = 0

    def __init__(self, store, name):
        self.store, self.name = weakref.ref(store), name

    def __del__(self):
        Handle.closed += 1


class Store:
    def __init__(self, number):
        self.number = number
        self.handles = {name: Handle(self, name) for name in ("a", "b", "c", "d")}

    def read(self):
        return sum(len(handle.name) for handle in self.handles.values())


print(sum(Store(number).read() for number in range(25_000)))
