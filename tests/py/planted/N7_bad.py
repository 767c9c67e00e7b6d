"""Each task carries the whole table to its worker."""
import time
from multiprocessing import Pool


def look_up(task):
    table, key = task
    time.sleep(0.05)
    return table[key]


def main():
    table = {i: f"value {i}" for i in range(100_000)}
    with Pool(3) as pool:
        return sum(map(len, pool.imap(look_up, [(table, key) for key in range(18)])))   # culprit


if __name__ == "__main__":
    print(main())
