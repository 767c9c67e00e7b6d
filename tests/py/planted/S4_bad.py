"""A column of texts, of which there are few different ones: a pointer for each row."""
# needs: numpy
import time

import numpy as np

KINDS = ["spring", "summer", "autumn", "winter"]


def column(n):
    return np.array([KINDS[i % 4] for i in range(n)], dtype=object)     # culprit


SEASON = column(1_000_000)
time.sleep(0.2)
print(len(SEASON))
