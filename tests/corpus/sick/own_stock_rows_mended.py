"""The stock of a warehouse: rows from the database, totals by shelf."""
import sqlite3
from array import array
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
    columns = {name: array('d') for name in names}
    for record in cursor:
        for name, value in zip(names, record):
            columns[name].append(value)
    return columns


def totals(rows):
    by_shelf = {}
    for shelf, amount, price in zip(rows["shelf"], rows["amount"], rows["price"]):
        by_shelf[shelf] = by_shelf.get(shelf, 0.0) + amount * price
    return by_shelf


db = fill(150_000)
ROWS = read(db)
db.close()
for round_ in range(5):
    result = totals(ROWS)
print(len(result), round(max(result.values())))
