"""A spreadsheet of observers: cells subscribe to others, windows that are opened subscribe and are closed again."""

import random
import weakref


class Cell:
    def __init__(self, value=0):
        self.value, self.listeners = value, []

    def set(self, value):
        if value != self.value:
            self.value = value
            for listener in list(self.listeners):
                listener(self)

    def subscribe(self, listener):
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)


class Sum(Cell):
    def __init__(self, cells):
        super().__init__(sum(c.value for c in cells))
        self.cells = cells
        for cell in cells:
            cell.subscribe(self.update)

    def update(self, _):
        self.set(sum(c.value for c in self.cells))


class Window:
    open = weakref.WeakSet()

    def __init__(self, cells):
        self.lines = [f"line {n}" for n in range(40)]
        self.cancel = [cell.subscribe(self.paint) for cell in cells]
        self.painted = 0
        Window.open.add(self)

    def paint(self, cell):
        self.painted += 1
        self.lines[cell.value % 40] = f"value {cell.value}"

    def close(self):
        for cancel in self.cancel:
            cancel()
        self.cancel.clear()


def main():
    rng = random.Random(5)
    cells = [Cell(n) for n in range(2000)]
    sums = [Sum(cells[n : n + 20]) for n in range(0, 2000, 20)]
    total, painted = Sum(sums), 0
    windows = []
    for n in range(12_000):
        rng.choice(cells).set(rng.randrange(1000))
        if n % 3 == 0:
            windows.append(Window(rng.sample(cells, 15)))
        if len(windows) > 30:
            old = windows.pop(0)
            painted += old.painted
            old.close()
    print(total.value, painted, len(Window.open))


main()
