"""Only the first lines of many sources are looked at."""
import itertools

open_sources = []


def lines(number):
    text = "\n".join(f"line {i} of source {number}" for i in range(150))
    for line in text.split("\n"):
        yield line


def first(number, count):
    source = lines(number)
    head = list(itertools.islice(source, count))
    open_sources.append(source)
    return head


def main():
    total = 0
    for number in range(4000):
        total += len(first(number, 3))
    print(total)


main()
