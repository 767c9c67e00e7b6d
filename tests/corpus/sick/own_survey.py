"""Counts words in survey answers."""
import collections


def load(count):
    return [f"{n};{'yes' if n % 3 else 'no'};because of reason {n % 97} and {n}" for n in range(count)]


def parse(raw):
    return [tuple(line.split(";")) for line in raw]


def report(count):
    raw = load(count)
    answers = parse(raw)
    words = collections.Counter()
    for number, verdict, text in answers:
        words.update(text.split())
    table = {(verdict, len(text)): number for number, verdict, text in answers}
    pairs = [(text, verdict) for _, verdict, text in answers]
    return len(words), len(table), len(pairs)


print(report(220_000))
