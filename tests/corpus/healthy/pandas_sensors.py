"""Readings of sensors in pandas: cleaned, resampled, joined, rolled; a report for each station."""

import io

import numpy as np
import pandas as pd


def readings(seed, rows=60_000):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "time": pd.date_range("2024-01-01", periods=rows, freq="min"),
            "station": rng.integers(0, 20, rows),
            "value": rng.normal(20, 5, rows).round(2),
        }
    )
    frame.loc[rng.integers(0, rows, rows // 50), "value"] = np.nan
    return frame


def main():
    stations = pd.DataFrame({"station": range(20), "name": [f"Station {n}" for n in range(20)], "height": np.arange(20) * 35})
    reports = {}
    for month in range(6):
        text = readings(month).to_csv(index=False)
        frame = pd.read_csv(io.StringIO(text), parse_dates=["time"])
        frame["value"] = frame.groupby("station")["value"].ffill()
        joined = frame.merge(stations, on="station")
        daily = joined.set_index("time").groupby("name")["value"].resample("D").agg(["mean", "max", "min"]).reset_index()
        smooth = daily.groupby("name")["mean"].rolling(7).mean().reset_index(drop=True)
        reports[month] = {
            "warmest": daily.loc[daily["max"].idxmax(), "name"],
            "smooth": float(smooth.max()),
            "table": daily.pivot_table(index="name", values=["mean", "max"]),
        }
    print(pd.concat(r["table"] for r in reports.values()).groupby(level=0).mean().round(1).head(3))
    print([r["warmest"] for r in reports.values()])


main()
