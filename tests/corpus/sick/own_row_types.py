"""Query results as named tuples, with the columns that were asked for."""
from collections import namedtuple

COLUMNS = [("id", "name"), ("id", "price", "stock"), ("name", "price")]


def query(number):
    columns = COLUMNS[number % 3]
    Row = namedtuple("Row", columns)
    return [Row(*range(k, k + len(columns))) for k in range(20)]


print(sum(row[0] for number in range(4_000) for row in query(number)))
