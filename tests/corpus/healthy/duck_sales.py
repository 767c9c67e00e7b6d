"""A data job: sales of each day are made, joined with prices, summed by week and product, and written as CSV."""
import csv
import io

import numpy as np
import pandas as pd

rng = np.random.default_rng(6)
prices = pd.DataFrame({"product": np.arange(200), "price": rng.uniform(1, 90, 200).round(2)})
weeks, out = [], io.StringIO()
for week in range(20):
    days = []
    for day in range(7):
        n = 6000
        days.append(pd.DataFrame({"day": day, "product": rng.integers(0, 200, n), "pieces": rng.integers(1, 9, n),
                                  "shop": rng.choice(["north", "south", "east"], n)}))
    sales = pd.concat(days, ignore_index=True).merge(prices, on="product")
    sales["value"] = sales["pieces"] * sales["price"]
    weeks.append(sales.groupby(["shop", "product"], as_index=False)["value"].sum().assign(week=week))
table = pd.concat(weeks, ignore_index=True)
table.to_csv(out, index=False)
rows = list(csv.reader(io.StringIO(out.getvalue())))
print(len(table), len(rows), round(float(table["value"].mean()), 1))
