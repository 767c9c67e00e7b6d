"""Support tickets as a table: who is behind, by team."""
import random

import numpy as np
import pandas as pd

TEAMS = ["billing and invoices", "network operations", "customer onboarding", "hardware returns"]
PRIORITIES = ["low", "normal", "high", "urgent"]


def load(count):
    rng = np.random.default_rng(2)
    tickets = pd.DataFrame({
        "number": np.arange(count),
        "team": np.array(TEAMS, dtype=object)[rng.integers(0, 4, count)],
        "priority": np.array(PRIORITIES, dtype=object)[rng.integers(0, 4, count)],
        "hours": rng.exponential(9.0, count),
    })
    return compact(tickets)


def compact(tickets):
    tickets["team"] = tickets["team"].astype("category")
    tickets["priority"] = tickets["priority"].astype("category")
    return tickets


def behind(tickets, limit):
    late = tickets[tickets["hours"] > limit]
    return late.groupby("team", observed=True)["hours"].agg(["count", "mean"])


tickets = load(1_500_000)
for limit in (24, 48, 72):
    table = behind(tickets, limit)
    print(limit, int(table["count"].sum()))
