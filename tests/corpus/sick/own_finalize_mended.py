"""Scratch folders that are cleaned up when their owner goes."""
import weakref


class Scratch:
    def __init__(self, number):
        self.number = number
        self.pages = [f"{number} page {k}" for k in range(80)]
        weakref.finalize(self, self.pages.clear)


pages = 0
for number in range(9_000):
    scratch = Scratch(number)
    pages += len(scratch.pages)
print(pages)
