"""A median that moves along: all of its window is sorted for each value."""
# needs: numpy
import numpy as np


def medians(values, width):
    found = 0.0
    for at in range(0, len(values) - width, 16):
        ordered = values[at:at + width].copy()              # culprit
        ordered.sort()
        found += ordered[width // 2]
    return found


print(medians((np.arange(200_000) * 7919 % 10_007).astype(float), 40_000) > 0)
