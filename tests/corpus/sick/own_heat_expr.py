"""Heat in a plate, step by step."""
import numpy as np


def plate(size):
    grid = np.zeros((size, size))
    grid[0] = 100.0
    grid[:, -1] = 20.0
    return grid


def simulate(grid, steps, rate):
    for _ in range(steps):
        inner = grid[1:-1, 1:-1]
        new = inner + rate * (grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:] - 4 * inner)
        grid[1:-1, 1:-1] = new
    return grid


def main():
    grid = simulate(plate(900), 60, 0.1)
    print(round(float(grid.mean()), 4))


main()
