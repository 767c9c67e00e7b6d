"""The same workers, forked after the import: the tables are there once."""
import multiprocessing
import time

import Y3_tables


def look(i):
    time.sleep(0.03)
    return Y3_tables.WORDS[i]


if __name__ == "__main__":
    workers = multiprocessing.get_context("fork")
    with workers.Pool(3) as pool:
        print(pool.map(look, range(30), chunksize=1)[-1])
        pool.close()
        pool.join()
