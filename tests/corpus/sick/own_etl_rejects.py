"""Loads rows into a database."""
import csv
import io
import sqlite3


class Loader:
    def __init__(self, database):
        self.database, self.rejected, self.lost = database, [], 0
        database.execute("create table rows (id integer, amount integer, text text)")

    def load(self, text):
        good = []
        for row in csv.DictReader(io.StringIO(text)):
            if row["amount"].isdigit():
                good.append((row["id"], row["amount"], row["text"]))
            else:
                self.rejected.append(row)
        self.database.executemany("insert into rows values (?, ?, ?)", good)
        self.database.commit()


def file(number):
    return "id,amount,text\n" + "".join(f"{n},{'-' if n % 4 == 0 else n},row {n} of {number}\n" for n in range(500))


loader = Loader(sqlite3.connect(":memory:"))
for number in range(160):
    loader.load(file(number))
    loader.database.execute("delete from rows")
print(loader.lost + len(loader.rejected))
