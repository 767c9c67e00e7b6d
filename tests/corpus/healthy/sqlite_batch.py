"""A nightly batch on SQLite: rows are read, worked on in memory, written back."""
import sqlite3

base = sqlite3.connect(":memory:")
base.execute("create table sale (id integer primary key, shop integer, day integer, price real)")
base.executemany("insert into sale (shop, day, price) values (?, ?, ?)", ((n % 40, n % 365, n * 0.01) for n in range(200_000)))
base.execute("create table summary (shop integer, day integer, total real)")
for shop in range(40):
    totals = {}
    for day, price in base.execute("select day, price from sale where shop = ?", (shop,)):
        totals[day] = totals.get(day, 0.0) + price
    base.executemany("insert into summary values (?, ?, ?)", ((shop, day, total) for day, total in totals.items()))
    base.commit()
print(base.execute("select count(*), round(sum(total)) from summary").fetchone())
base.close()
