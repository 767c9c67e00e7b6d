"""A spreadsheet: cells know what they need and who needs them; edits run through it."""

import random

random.seed(4)


class Cell:
    def __init__(self, name):
        self.name, self.needs, self.users, self.value, self.fn = name, [], [], 0.0, None

    def set(self, fn, needs):
        for n in self.needs:
            n.users.remove(self)
        self.fn, self.needs = fn, needs
        for n in needs:
            n.users.append(self)


class Sheet:
    def __init__(self):
        self.cells = {}

    def cell(self, n):
        return self.cells.setdefault(n, None) or self.cells.__setitem__(n, Cell(n)) or self.cells[n]

    def touch(self, c):
        order, seen, stack = [], set(), [(c, False)]
        while stack:
            x, out = stack.pop()
            if out:
                order.append(x)
            elif x not in seen:
                seen.add(x)
                stack.append((x, True))
                stack.extend((u, False) for u in x.users)
        for x in reversed(order):
            if x.fn:
                x.value = x.fn([n.value for n in x.needs])
        return len(order)


s = Sheet()
n = 0
for r in range(2000):
    s.cell(("a", r)).value = random.random()
    if r:
        s.cell(("b", r)).set(sum, [s.cell(("a", r)), s.cell(("a", r - 1))])
        s.cell(("c", r)).set(max, [s.cell(("b", r)), s.cell(("b", max(1, r - 3)))])
for e in range(60000):
    c = s.cell(("a", random.randrange(2000)))
    c.value = random.random()
    n += s.touch(c)
print(n)
