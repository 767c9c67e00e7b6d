"""Looks for a good move on a large board."""
import copy


class Board:
    def __init__(self, size):
        self.size, self.cells = size, [0] * (size * size)

    def moves(self):
        return range(0, self.size * self.size, 97)

    def value(self, move, player):
        after = self.cells[:]
        after[move] = player
        return sum(after[move:move + 9]) - (move % 7)


board = Board(190)
for turn in range(60):
    best = max(board.moves(), key=lambda move: board.value(move, 1 + turn % 2))
    board.cells[best] = 1 + turn % 2
print(sum(board.cells))
