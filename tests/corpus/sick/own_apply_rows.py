"""Orders with tax by country: the gross amounts."""
import numpy as np
import pandas as pd

TAX = {0: 0.19, 1: 0.2, 2: 0.25, 3: 0.0}


def orders(count):
    rng = np.random.default_rng(3)
    return pd.DataFrame({
        "country": rng.integers(0, 4, count),
        "net": rng.exponential(80.0, count),
        "pieces": rng.integers(1, 9, count),
        "rebate": rng.random(count) * 0.1,
    })


def gross(row):
    return row["net"] * row["pieces"] * (1 - row["rebate"]) * (1 + TAX[int(row["country"])])


def main():
    table = orders(150_000)
    table["gross"] = table.apply(gross, axis=1)
    print(table.groupby("country")["gross"].sum().round(0).to_dict())


main()
