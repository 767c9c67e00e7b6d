"""An editor: lines, edits, a bounded history, a search."""

import random
from collections import deque

random.seed(3)


class Doc:
    def __init__(self, n):
        self.lines, self.undo, self.redo = [f"line {i} of text" for i in range(n)], deque(maxlen=200), deque(maxlen=200)

    def edit(self, i, text):
        self.undo.append((i, self.lines[i]))
        self.redo.clear()
        self.lines[i] = text

    def back(self):
        if self.undo:
            i, t = self.undo.pop()
            self.redo.append((i, self.lines[i]))
            self.lines[i] = t

    def find(self, w):
        return [i for i, l in enumerate(self.lines) if w in l]


d = Doc(5000)
for k in range(60000):
    i = random.randrange(5000)
    d.edit(i, d.lines[i][:60] + random.choice(" abcdef"))
    if k % 7 == 0:
        d.back()
    if k % 500 == 0:
        d.find("of text a")
print(len(d.find("a")))
