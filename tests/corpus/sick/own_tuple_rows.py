"""Collects the rows of a report."""


def collect(source):
    rows = ()
    for row in source:
        rows += (row,)
    return tuple(rows)


print(sum(len(collect((n, n + 1) for n in range(9_000))) for _ in range(2)))
