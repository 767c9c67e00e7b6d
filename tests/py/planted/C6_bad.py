"""A class is made for each row."""
from collections import namedtuple


def row(number):
    Row = namedtuple("Row", ["number", "name"])             # culprit
    return Row(number, str(number))


print(sum(row(i).number for i in range(3000)))
