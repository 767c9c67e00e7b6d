"""The stock of a warehouse: rows from the database, totals by shelf."""
import sqlite3
import random


def fill(count):
    db = sqlite3.connect(":memory:")
    db.execute("create table stock (sku integer, shelf integer, amount integer, price real, weight real)")
    rng = random.Random(6)
    db.executemany("insert into stock values (?, ?, ?, ?, ?)",
                   ((i, rng.randrange(400), rng.randrange(10_000), rng.random() * 50, rng.random()) for i in range(count)))
    return db


def read(db):
    cursor = db.execute("select sku, shelf, amount, price, weight from stock")
    names = [column[0] for column in cursor.description]
    rows = []
    for record in cursor:
        rows.append(dict(zip(names, record)))
    return rows


def totals(rows):
    by_shelf = {}
    for row in rows:
        by_shelf[row["shelf"]] = by_shelf.get(row["shelf"], 0.0) + row["amount"] * row["price"]
    return by_shelf


db = fill(150_000)
ROWS = read(db)
db.close()
for round_ in range(5):
    result = totals(ROWS)
print(len(result), round(max(result.values())))
