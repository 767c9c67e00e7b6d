"""A library's catalogue: all of it is read, a few entries are kept for the shelf list."""
import pickle
import random
import time


class Entry:
    __slots__ = ("title", "author", "year", "words")

    def __init__(self, title, author, year, words):
        self.title = title
        self.author = author
        self.year = year
        self.words = words


def parse(count):
    rng = random.Random(8)
    entries = []
    for number in range(count):
        words = [f"w{rng.randrange(10_000_000)}" for _ in range(4)]
        entries.append(Entry(f"title {number}", f"author {number % 9000}", 1900 + number % 120, words))
    return entries


def shelf(entries):
    return pickle.loads(pickle.dumps([entry for entry in entries if entry.year == 1984]))


def main():
    kept = shelf(parse(300_000))
    deadline = time.monotonic() + 1.5
    rounds = 0
    while time.monotonic() < deadline:
        rounds += sum(len(entry.title) for entry in kept) > 0
        time.sleep(0.01)
    print(len(kept), rounds > 1)


main()
