"""Tables are joined, grouped, pivoted and written."""

import io

import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
N = 150000
o = pd.DataFrame(
    {
        "cust": rng.integers(0, 5000, N),
        "sku": rng.integers(0, 800, N),
        "q": rng.integers(1, 9, N),
        "p": rng.random(N) * 100,
        "d": pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 365, N), "D"),
    }
)
o.to_csv("o.csv", index=False)
cust = pd.DataFrame({"cust": range(5000), "region": rng.choice(["n", "s", "e", "w"], 5000)})
sku = pd.DataFrame({"sku": range(800), "cat": rng.choice(list("abcdefgh"), 800)})
tot = 0
for chunk in pd.read_csv("o.csv", parse_dates=["d"], chunksize=15000):
    m = chunk.merge(cust, on="cust").merge(sku, on="sku")
    m["rev"] = m.q * m.p
    g = m.groupby(["region", "cat", m.d.dt.month])["rev"].agg(["sum", "mean", "count"]).reset_index()
    tot += g["sum"].sum()
df = pd.read_csv("o.csv", parse_dates=["d"]).merge(cust, on="cust").merge(sku, on="sku")
pv = df.assign(r=df.q * df.p).pivot_table(index="region", columns="cat", values="r", aggfunc="sum")
w = df.set_index("d").sort_index().resample("W").q.sum()
top = df.groupby("cust").apply(lambda x: (x.q * x.p).sum(), include_groups=False).nlargest(5)
print(round(tot), pv.shape, int(w.sum()), list(top.index))
