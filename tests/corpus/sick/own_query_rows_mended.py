"""Queries against sqlite give rows as data classes."""
import dataclasses
import functools
import sqlite3


@functools.cache
def row_class(names):
    return dataclasses.make_dataclass("Row", names)


def query(connection, statement, *arguments):
    cursor = connection.execute(statement, arguments)
    names = [column[0] for column in cursor.description]
    Row = row_class(tuple(names))
    return [Row(*row) for row in cursor]


def main():
    connection = sqlite3.connect(":memory:")
    connection.execute("create table sale (id integer primary key, shop text, amount real)")
    connection.executemany("insert into sale (shop, amount) values (?, ?)", ((f"shop {i % 50}", i * 0.1) for i in range(5000)))
    total = 0.0
    for number in range(1500):
        for row in query(connection, "select shop, amount from sale where id between ? and ?", number, number + 10):
            total += row.amount
    print(round(total, 2))


main()
