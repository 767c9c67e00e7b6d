"""Files into a database, and reports from it."""

import csv
import os
import random
import tempfile

import duckdb

random.seed(0)
d = tempfile.mkdtemp()
con = duckdb.connect()
for k in range(8):
    with open(f"{d}/s{k}.csv", "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(["day", "shop", "item", "qty", "price"])
        for i in range(20000):
            w.writerow(
                [f"2024-{k + 1:02d}-{i % 28 + 1:02d}", f"s{i % 30}", f"i{random.randrange(500)}", random.randrange(9), random.random() * 90]
            )
con.execute(f"create table sales as select * from read_csv_auto('{d}/*.csv')")
for k in range(40):
    rows = con.execute(
        "select shop, item, sum(qty * price) r from sales where month(day) = ? group by all order by r desc limit 2000", [k % 8 + 1]
    ).fetchall()
print(len(rows))
