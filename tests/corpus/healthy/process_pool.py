"""A pool of processes counts words; the main process adds up."""
import collections
import multiprocessing


def count(number):
    words = collections.Counter()
    for n in range(20_000):
        words[f"word{(n * number) % 997}"] += 1
    return words


if __name__ == "__main__":
    total = collections.Counter()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for words in pool.imap_unordered(count, range(1, 150)):
            total.update(words)
    print(sum(total.values()), len(total))
