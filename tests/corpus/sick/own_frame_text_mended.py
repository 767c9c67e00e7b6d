"""A table of journeys."""
import pandas as pd


def journeys(count):
    return pd.DataFrame({"city": [f"city {n % 30}" for n in range(count)], "length": range(count)})


table = journeys(500_000)
table["city"] = table["city"].astype("category")
print(table.groupby("city", observed=True)["length"].sum().sum())
