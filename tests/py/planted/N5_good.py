"""The same column, looked at in place."""
from array import array


def mean(column):
    return sum(column) / len(column)


COLUMN = array("d", range(300_000))
print(sum(mean(COLUMN) for _ in range(8)))
