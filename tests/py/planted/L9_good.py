"""The workers keep nothing of a task that is done, and are renewed all the same."""
import time
from multiprocessing import Pool

SEEN = {}


def handle(number):
    for i in range(3000):
        SEEN[number, i] = f"answer {i} to {number}"
    time.sleep(0.06)
    done = len(SEEN)
    SEEN.clear()
    return done


def main():
    with Pool(2, maxtasksperchild=6) as pool:
        return sum(1 for _ in pool.imap(handle, range(60)))


if __name__ == "__main__":
    print(main())
