"""A frame that stays, and columns read from it again and again."""
import numpy as np
import pandas as pd

frame = pd.DataFrame(np.arange(40_000.0).reshape(10_000, 4), columns=list("abcd"))
prices = frame["a"]
total = 0.0
for i in range(400_000):
    part = prices[i % 100:i % 100 + 50]
    if i % 1000 == 0:
        total += part.sum()
print(total)
