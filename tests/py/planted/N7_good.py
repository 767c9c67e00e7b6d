"""Each worker makes the table once; a task is a number."""
import time
from multiprocessing import Pool

TABLE = {}


def load():
    TABLE.update({i: f"value {i}" for i in range(100_000)})


def look_up(key):
    time.sleep(0.05)
    return TABLE[key]


def main():
    with Pool(3, initializer=load) as pool:
        return sum(map(len, pool.imap(look_up, range(18))))


if __name__ == "__main__":
    print(main())
