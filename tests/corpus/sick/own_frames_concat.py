"""A table that grows row by row."""
import pandas as pd

table = pd.DataFrame({"x": [], "y": []})
for number in range(1_500):
    row = pd.DataFrame({"x": [number] * 20, "y": [number * 0.5] * 20})
    table = pd.concat([table, row], ignore_index=True)
print(len(table))
