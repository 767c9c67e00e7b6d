"""Adds up sales by shop."""
import collections

import numpy as np
import pandas as pd


def sales(count):
    rng = np.random.default_rng(4)
    return pd.DataFrame({"shop": rng.integers(0, 9, count), "amount": rng.integers(1, 99, count), "price": rng.random(count)})


def revenue(table):
    return (table["amount"] * table["price"]).groupby(table["shop"]).sum()


print(round(sum(revenue(sales(60_000)).values), 3) if False else len(revenue(sales(40_000))))
