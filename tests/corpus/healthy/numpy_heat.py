"""Heat spreads in a plate: a step by slices, snapshots of every twentieth step for a film, statistics."""

import numpy as np


def step(plate, k):
    inner = plate[1:-1, 1:-1]
    new = plate.copy()
    new[1:-1, 1:-1] = inner + k * (plate[:-2, 1:-1] + plate[2:, 1:-1] + plate[1:-1, :-2] + plate[1:-1, 2:] - 4 * inner)
    return new


def main():
    plate = np.zeros((400, 400))
    plate[0] = 100
    film, means = [], []
    for n in range(900):
        plate = step(plate, 0.2)
        means.append(float(plate.mean()))
        if n % 20 == 0:
            film.append(plate[::4, ::4].astype(np.float32))
    stack = np.stack(film)
    print(stack.shape, float(stack.std()), means[-1])


main()
