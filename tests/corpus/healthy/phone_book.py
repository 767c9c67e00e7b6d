"""A phone book is loaded and stays in memory: it is asked by name, by the beginning of a name and by number until the end."""
import bisect
import random

random.seed(2)
FIRST = [f"{a}{b}" for a in ("An", "Be", "Cla", "Do", "Eri", "Fri") for b in ("na", "ra", "ka", "da", "lf", "tz", "no")]
LAST = [f"{a}{b}" for a in ("Mai", "Schu", "Neu", "Kra", "Wei", "Hof", "Bau", "Len") for b in ("er", "mann", "sen", "ke", "bach", "ner")]


class Book:
    def __init__(self):
        self.by_name, self.by_number, self.sorted = {}, {}, []

    def load(self, number):
        for n in range(number):
            name = f"{random.choice(LAST)}, {random.choice(FIRST)} {n % 300}"
            phone = f"0{random.randrange(10**9):09}"
            self.by_name.setdefault(name, []).append(phone)
            self.by_number[phone] = name
        self.sorted = sorted(self.by_name)

    def like(self, prefix):
        at = bisect.bisect_left(self.sorted, prefix)
        while at < len(self.sorted) and self.sorted[at].startswith(prefix):
            yield self.sorted[at]
            at += 1


def main():
    book, hits = Book(), 0
    book.load(60_000)
    phones = list(book.by_number)
    for n in range(60_000):
        if n % 3 == 0:
            hits += len(book.by_name.get(f"{random.choice(LAST)}, {random.choice(FIRST)} {n % 300}", ()))
        elif n % 3 == 1:
            hits += book.by_number[random.choice(phones)] != ""
        else:
            hits += sum(1 for _ in zip(range(5), book.like(random.choice(LAST)[:4])))
    print(hits > 0)


main()
