"""Orders are taken for less than a second; what main() holds is gone when it returns."""


class Desk:
    def __init__(self):
        self.seen = {}

    def take(self, number):
        order = {"number": number, "lines": [f"{number} line {k}" for k in range(12)]}
        self.seen[number] = order                           # culprit
        return sum(len(line) for line in order["lines"])


def main():
    desk, total = Desk(), 0
    for number in range(60_000):
        total += desk.take(number)
    return total


print(main() > 0)
