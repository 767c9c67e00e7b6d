"""The same walk: its steps in a list, joined once, and a few long parts appended."""
# needs: numpy
import numpy as np


def walk(steps):
    path, parts = np.zeros(1), []
    for step in range(steps):
        parts.append(step % 7 - 3.0)
    for part in np.array_split(np.array(parts), 4):
        path = np.append(path, part)
    return path


print(walk(14_000).sum())
