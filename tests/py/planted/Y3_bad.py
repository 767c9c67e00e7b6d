"""Three workers that are started anew: each imports the tables for itself."""
import multiprocessing
import time


def look(i):
    import Y3_tables

    time.sleep(0.03)
    return Y3_tables.WORDS[i]


if __name__ == "__main__":
    workers = multiprocessing.get_context("spawn")
    with workers.Pool(3) as pool:
        print(pool.map(look, range(30), chunksize=1)[-1])
        pool.close()
        pool.join()
