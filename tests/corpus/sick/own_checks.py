"""Validates rows against rules."""

RULES = [lambda row: row[0] >= 0, lambda row: len(row[1]) < 40, lambda row: row[2] != row[0]]


def valid(rows):
    return all([rule(row) for row in rows for rule in RULES])


rows = [(n, f"name {n}", n + 1) for n in range(60_000)]
print(sum(valid(rows) for _ in range(40)))
