"""The same column: the texts once, and a byte for each row."""
# needs: numpy
import time

import numpy as np

KINDS = ["spring", "summer", "autumn", "winter"]


def column(n):
    return np.array([i % 4 for i in range(n)], dtype="u1")


SEASON = column(1_000_000)
time.sleep(0.2)
print(len(SEASON))
