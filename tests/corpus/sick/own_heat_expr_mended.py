"""Heat in a plate, step by step."""
import numpy as np


def plate(size):
    grid = np.zeros((size, size))
    grid[0] = 100.0
    grid[:, -1] = 20.0
    return grid


def simulate(grid, steps, rate):
    inner = grid[1:-1, 1:-1]
    new, scratch = np.empty(inner.shape), np.empty(inner.shape)
    for _ in range(steps):
        np.add(grid[:-2, 1:-1], grid[2:, 1:-1], out=new)
        np.add(new, grid[1:-1, :-2], out=new)
        np.add(new, grid[1:-1, 2:], out=new)
        np.multiply(inner, 4, out=scratch)
        np.subtract(new, scratch, out=new)
        np.multiply(new, rate, out=new)
        np.add(inner, new, out=inner)
    return grid


def main():
    grid = simulate(plate(900), 60, 0.1)
    print(round(float(grid.mean()), 4))


main()
