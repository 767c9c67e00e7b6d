"""Matches a day's orders with its deliveries."""


class Day:
    def __init__(self):
        self.open = {}

    def morning(self, count):
        for n in range(count):
            self.open[n] = n & 3

    def evening(self, count):
        for n in range(count):
            self.open.pop(n, None)
        self.open = dict(self.open)


day = Day()
day.morning(700_000)
day.evening(699_900)
print(len(day.open))
