"""Two tables are joined on disk by sorted runs, and grouped."""

import csv
import heapq
import os
import random
import tempfile

random.seed(26)
folder = tempfile.mkdtemp()


def runs(rows, name, size=20_000):
    files, part = [], []
    for row in rows:
        part.append(row)
        if len(part) == size:
            files.append(write(sorted(part), f"{name}{len(files)}"))
            part = []
    if part:
        files.append(write(sorted(part), f"{name}{len(files)}"))
    return files


def write(rows, name):
    path = os.path.join(folder, name)
    with open(path, "w", newline="") as f:
        csv.writer(f).writerows(rows)
    return path


def merged(files):
    yield from heapq.merge(*(read(path) for path in files), key=lambda row: row[0])


def read(path):
    with open(path, newline="") as f:
        yield from csv.reader(f)


orders = runs(((f"c{random.randrange(30_000):05}", f"{random.random() * 90:.2f}") for _ in range(120_000)), "orders")
customers = runs(((f"c{n:05}", random.choice(["Rome", "Oslo", "Bern"])) for n in range(30_000)), "customers")
totals, theirs = {}, merged(customers)
customer = next(theirs)
for key, amount in merged(orders):
    while customer[0] < key:
        customer = next(theirs)
    if customer[0] == key:
        totals[customer[1]] = totals.get(customer[1], 0) + float(amount)
print(sorted(totals))
