"""Documents are converted by workers that are renewed now and then."""
import multiprocessing
import random

SEEN = {}


def convert(number):
    rng = random.Random(number)
    words = [f"{number}-{rng.randrange(1_000_000)}" for _ in range(4000)]
    SEEN[number] = words
    return len(set(words))


def main():
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=60) as pool:
        total = 0
        for count in pool.imap_unordered(convert, range(600), chunksize=1):
            total += count
    print(total > 0)


if __name__ == "__main__":
    main()
