"""The game of life on a set of cells."""
import collections
import random


def step(cells):
    near = collections.Counter((x + dx, y + dy) for x, y in cells for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy)
    return {cell for cell, count in near.items() if count == 3 or (count == 2 and cell in cells)}


rng = random.Random(1)
cells = {(rng.randrange(60), rng.randrange(60)) for _ in range(1300)}
for _ in range(250):
    cells = step(cells)
print(len(cells))
