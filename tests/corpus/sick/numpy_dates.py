"""Dates counted in a dict."""
import collections

import numpy as np

seen = collections.Counter()
for n in range(60):
    seen.update(np.arange(10_000).astype("datetime64[D]"))
print(len(seen))
