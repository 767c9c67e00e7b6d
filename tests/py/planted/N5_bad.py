"""A column of numbers is boxed, value by value, to be added up."""
from array import array


def mean(column):
    values = column.tolist()                                # culprit
    return sum(values) / len(values)


COLUMN = array("d", range(300_000))
print(sum(mean(COLUMN) for _ in range(8)))
