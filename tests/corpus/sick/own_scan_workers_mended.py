"""A table is loaded once; forked workers each scan all of it."""
import array
import multiprocessing
import time

COUNT = 400_000
STOCK = array.array("l")
PRICE = array.array("d")


def load():
    for number in range(COUNT):
        STOCK.append(number * 7 % 1009)
        PRICE.append(number * 0.25)


def scan(low):
    total = 0.0
    for at in range(COUNT):
        if STOCK[at] > low:
            total += PRICE[at]
    time.sleep(0.3)
    return total


def main():
    load()
    context = multiprocessing.get_context("fork")
    with context.Pool(4) as pool:
        print(sum(pool.map(scan, [100, 300, 500, 700], chunksize=1)))


if __name__ == "__main__":
    main()
