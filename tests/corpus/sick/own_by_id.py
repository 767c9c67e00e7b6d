"""Layouts are remembered beside the objects, as those have slots."""
LAYOUTS = {}


class Cell:
    __slots__ = ("text",)

    def __init__(self, text):
        self.text = text


def layout(cell):
    if id(cell) not in LAYOUTS:
        LAYOUTS[id(cell)] = cell, [part.center(20) for part in cell.text.split()]
    return LAYOUTS[id(cell)][1]


total = 0
for number in range(70_000):
    total += len(layout(Cell(f"cell {number} of the table")))
print(total)
