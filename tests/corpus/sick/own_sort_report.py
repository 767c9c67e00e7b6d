"""Visits are read, grouped by page, and each page's visits are ranked."""
import random


def read(count):
    rng = random.Random(21)
    return [{"page": f"/page/{rng.randrange(3000)}", "visitor": f"visitor {n}", "seconds": rng.randrange(600)} for n in range(count)]


def group(records):
    pages = {}
    for record in records:
        page = pages.setdefault(record["page"], [0, 0])
        page[0] += 1
        page[1] += record["seconds"]
    return pages


def rank(pages):
    best = []
    for page, (count, seconds) in pages.items():
        words = [f"{page}-{i}" for i in range(600)]
        best.append((seconds / count, len(words), page))
    best.sort(reverse=True)
    return best[:10]


def main():
    records = read(250_000)
    pages = group(records)
    for row in rank(pages):
        print(*row)


main()
