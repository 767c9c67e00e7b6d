"""Query results as named tuples, with the columns that were asked for."""
import functools
from collections import namedtuple

COLUMNS = [("id", "name"), ("id", "price", "stock"), ("name", "price")]


@functools.cache
def row_type(columns):
    return namedtuple("Row", columns)


def query(number):
    columns = COLUMNS[number % 3]
    Row = row_type(columns)
    return [Row(*range(k, k + len(columns))) for k in range(20)]


print(sum(row[0] for number in range(4_000) for row in query(number)))
