"""Bags, arrays and frames of dask on two threads."""

import dask
import dask.array as da
import dask.bag as db
import dask.dataframe as dd
import numpy as np
import pandas as pd

dask.config.set(scheduler="threads", num_workers=2)
x = da.ones((2000, 2000), chunks=(500, 500))
print(float((x + x.T).mean().compute()))
b = db.from_sequence(range(20000), npartitions=8)
print(b.map(lambda i: {"k": i % 10, "v": i}).filter(lambda d: d["v"] % 3 == 0).pluck("k").frequencies().compute()[0])
d = dd.from_pandas(pd.DataFrame({"k": np.arange(100000) % 50, "v": np.arange(100000.0)}), npartitions=6)
for i in range(6):
    r = d.groupby("k").v.agg(["sum", "mean"]).compute()
print(len(r))
