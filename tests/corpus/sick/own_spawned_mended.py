"""Adds up parts of a table in worker processes."""
import multiprocessing

import numpy
import pandas


def add(part):
    return float(pandas.Series(numpy.arange(part, part + 1_000)).sum())


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    with context.Pool(4) as pool:
        print(sum(pool.map(add, range(400))))
