"""Orders are taken for less than a second, and all of them looked through at its end; what main() holds is gone when it returns."""


class Desk:
    def __init__(self):
        self.seen = {}

    def take(self, number):
        order = {"number": number, "lines": [f"{number} line {k}" for k in range(12)]}
        self.seen[number] = order
        return sum(len(line) for line in order["lines"])

    def longest(self):
        return max(self.seen.values(), key=lambda order: len(order["lines"][0]))


def best(desk):
    return desk.longest()["number"]


def main():
    desk, total = Desk(), 0
    for number in range(60_000):
        total += desk.take(number)
    return total + best(desk)


print(main() > 0)
