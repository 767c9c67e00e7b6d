"""A heat map: regions are cut in tiles, and the tiles of a region are smoothed with their neighbours."""
import numpy as np


class Tile:
    __slots__ = ("row", "column", "heat", "around")

    def __init__(self, row, column, heat):
        self.row = row
        self.column = column
        self.heat = heat
        self.around = None


def cut(region, side):
    rng = np.random.default_rng(region)
    heat = rng.random((side, side))
    grid = [[Tile(row, column, heat[row, column] * 100) for column in range(side)] for row in range(side)]
    for row in range(side):
        for column in range(side):
            around = [None] * 4
            for place, (down, right) in enumerate(((0, 1), (1, 0), (0, -1), (-1, 0))):
                around[place] = grid[(row + down) % side][(column + right) % side]
            grid[row][column].around = around
    return grid


def smooth(grid, rounds):
    for _ in range(rounds):
        for line in grid:
            for tile in line:
                tile.heat = (tile.heat * 4 + sum(other.heat for other in tile.around)) / 8
    return max(tile.heat for line in grid for tile in line)


def hottest(regions):
    best = 0.0, None
    for region in range(regions):
        grid = cut(region, 16)
        best = max(best, (smooth(grid, 2), region))
    return best


def main():
    heat, region = hottest(260)
    print(round(heat, 2), region)


main()
