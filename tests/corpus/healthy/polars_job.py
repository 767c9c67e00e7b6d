"""Lazy queries of polars."""

import random

import polars as pl

random.seed(1)
N = 200000
df = pl.DataFrame(
    {
        "k": [random.randrange(1000) for _ in range(N)],
        "s": [random.choice("abcdef") for _ in range(N)],
        "v": [random.random() for _ in range(N)],
    }
)
df.write_csv("x.csv")
df.write_parquet("x.parquet")
t = 0
for i in range(15):
    r = pl.scan_csv("x.csv").filter(pl.col("v") > 0.1).group_by("k", "s").agg(pl.col("v").sum().alias("t"), pl.len()).sort("t").collect()
    t += r.height
    j = pl.read_parquet("x.parquet").join(r, on=["k", "s"]).select(pl.col("v") * pl.col("t")).sum().item()
rows = [d for d in pl.read_parquet("x.parquet").head(5000).iter_rows(named=True)]
print(t, len(rows))
