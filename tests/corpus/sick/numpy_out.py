"""Columns are summed into arrays of their own."""
import numpy as np

table = np.arange(12_000.0).reshape(300, 40)
total = 0.0
for number in range(20_000):
    sums = np.empty(40)
    np.add.reduce(table, axis=0, out=sums)
    total += sums[number % 40]
print(total)
