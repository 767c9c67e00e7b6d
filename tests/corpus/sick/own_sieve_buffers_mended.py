"""The longest stretch without a repeated word, at each place of a text."""
import random

WORDS = 40_000


def text(count):
    rng = random.Random(3)
    return [int(rng.paretovariate(0.6)) % WORDS for _ in range(count)]


def stretch(words, start, seen):
    at = start
    while at < len(words) and not seen[words[at]]:
        seen[words[at]] = True
        at += 1
    for i in range(start, at):
        seen[words[i]] = False
    return at - start


def longest(words):
    best = 0
    seen = [False] * WORDS
    for start in range(len(words)):
        best = max(best, stretch(words, start, seen))
    return best


def main():
    print(longest(text(20_000)))


main()
