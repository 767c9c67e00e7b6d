"""Rides of taxis in polars: lazy queries with joins and windows over many days, a table for each week kept for the end."""

import random

import polars as pl


def day(n, rows=20_000):
    rng = random.Random(n)
    return pl.DataFrame(
        {
            "ride": range(rows),
            "zone": [rng.randrange(60) for _ in range(rows)],
            "fare": [round(rng.lognormvariate(2.5, 0.5), 2) for _ in range(rows)],
            "day": [n] * rows,
        }
    )


def main():
    zones = pl.DataFrame({"zone": range(60), "name": [f"zone {n}" for n in range(60)]})
    weeks = []
    for week in range(4):
        rides = pl.concat([day(week * 7 + d) for d in range(7)])
        table = (
            rides.lazy()
            .join(zones.lazy(), on="zone")
            .filter(pl.col("fare") > 5)
            .with_columns((pl.col("fare") / pl.col("fare").mean().over("zone")).alias("relative"))
            .group_by("name")
            .agg(pl.len().alias("rides"), pl.col("fare").sum(), pl.col("relative").max())
            .sort("fare", descending=True)
            .collect()
        )
        weeks.append(table)
    all_weeks = pl.concat(weeks).group_by("name").agg(pl.col("fare").sum()).sort("fare", descending=True)
    print(all_weeks.head(3))


main()
