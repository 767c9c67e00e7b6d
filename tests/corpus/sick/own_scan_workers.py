"""A table is loaded once; forked workers each scan all of it."""
import multiprocessing
import time

COUNT = 400_000
ROWS = []


def load():
    for number in range(COUNT):
        ROWS.append((number * 7 % 1009, number * 0.25))


def scan(low):
    total = 0.0
    for stock, price in ROWS:
        if stock > low:
            total += price
    time.sleep(0.3)
    return total


def main():
    load()
    context = multiprocessing.get_context("fork")
    with context.Pool(4) as pool:
        print(sum(pool.map(scan, [100, 300, 500, 700], chunksize=1)))


if __name__ == "__main__":
    main()
