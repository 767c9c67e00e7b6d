"""Rules of visitors are kept by what they are joined with, and by their opposite: no table holds a visitor alone."""
import time

JOINED, OPPOSITE = {}, {}


class Visitor:
    def __init__(self, number):
        self.seen = [f"page {number} {k}" for k in range(60)]


class Rule:
    def __init__(self, visitor):
        self.holds = lambda: len(visitor.seen) > 10


class Both:
    def __init__(self, a, b):
        self.a, self.b = a, b

    def holds(self):
        return self.a.holds() and self.b.holds()


def both(a, b):
    if (a, b) not in JOINED:
        JOINED[a, b] = Both(a, b)
    return JOINED[a, b]


def opposite(a):
    if a not in OPPOSITE:
        OPPOSITE[a] = lambda: not a.holds()
    return OPPOSITE[a]


def visit(number):
    visitor = Visitor(number)
    first, second = Rule(visitor), Rule(visitor)
    good = both(first, second).holds() and not opposite(first)()
    del JOINED[first, second], OPPOSITE[first]
    return good


def visits(n):
    good = 0
    for number in range(n):
        good += visit(number)
        time.sleep(0.0001)
    return good


print(visits(3000))
