"""A pandas job: read CSV, join, group, write."""
import io

import numpy as np
import pandas as pd

chance = np.random.default_rng(7)
n = 60_000
text = pd.DataFrame({"user": chance.integers(0, 2000, n), "kind": chance.choice(list("abcdef"), n),
                     "amount": chance.random(n) * 100}).to_csv(index=False)
users = pd.DataFrame({"user": range(2000), "country": chance.choice(["de", "fr", "it"], 2000)})
total = 0.0
for day in range(15):
    frame = pd.read_csv(io.StringIO(text)).merge(users, on="user")
    frame["tax"] = frame["amount"] * 0.19
    report = frame.groupby(["country", "kind"])[["amount", "tax"]].agg(["sum", "mean", "count"])
    wide = frame.pivot_table(index="user", columns="kind", values="amount", aggfunc="sum").fillna(0)
    total += report.to_numpy().sum() + wide.to_numpy().sum() + len(report.to_json())
print(round(total))
