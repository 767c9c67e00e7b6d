"""Plays small boards; cells know their board."""
import numpy as np


class Cell:
    def __init__(self, board, x, y):
        self.board, self.x, self.y, self.alive = board, x, y, (x * y) % 3 == 0


def board(size):
    cells = np.empty((size, size), object)
    for x in range(size):
        for y in range(size):
            cells[x, y] = Cell(cells, x, y)
    return cells


def play(games):
    alive = 0
    for _ in range(games):
        cells = board(12)
        alive += sum(cell.alive for cell in cells.flat)
    return alive


print(play(2_500))
