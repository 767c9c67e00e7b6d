"""Uploads come with their own separators; each is read with csv."""
import csv
import io
import random


def detect(text):
    first = text.split("\n", 1)[0]
    return max(";,|\t", key=first.count)


def read(number, text):
    name = f"upload-{number}"
    csv.register_dialect(name, delimiter=detect(text), skipinitialspace=True)
    total = 0
    for row in csv.reader(io.StringIO(text), dialect=name):
        total += len(row)
    return total


def upload(rng):
    separator = rng.choice(";,|")
    return "\n".join(separator.join(str(rng.randrange(100)) for _ in range(5)) for _ in range(6))


def main():
    rng = random.Random(12)
    cells = 0
    for number in range(40_000):
        cells += read(number, upload(rng))
    print(cells)


main()
