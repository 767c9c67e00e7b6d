"""A table that grows row by row."""
import pandas as pd

parts = []
for number in range(1_500):
    row = pd.DataFrame({"x": [number] * 20, "y": [number * 0.5] * 20})
    parts.append(row)
table = pd.concat(parts, ignore_index=True)
print(len(table))
