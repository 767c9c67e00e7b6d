"""Counts words in texts; workers are renewed because they grow."""
import multiprocessing

SEEN = {}


def count(number):
    text = [f"{number} word {k}" for k in range(3_000)]
    SEEN[number] = text
    return len(text)


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=40) as pool:
        print(sum(pool.imap(count, range(480))))
