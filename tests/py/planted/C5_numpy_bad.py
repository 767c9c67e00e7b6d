"""Cells that know their table; the table is an array of objects, into which the collector does not see."""
# needs: numpy
import time

import numpy as np


class Cell:
    def __init__(self, table, i):
        self.table = table                                  # culprit
        self.text = f"cell {i} " * 20


def page(n):
    table = np.empty(n, object)
    for i in range(n):
        table[i] = Cell(table, i)
    return len(table)


print(sum(page(100) for _ in range(400)))
time.sleep(0.2)
