"""A random walk, a step at a time: np.append() copies all of it."""
# needs: numpy
import numpy as np


def walk(steps):
    path = np.zeros(1)
    for step in range(steps):
        path = np.append(path, step % 7 - 3.0)              # culprit
    return path


print(walk(14_000).sum())
