"""A running median."""
import bisect


class Median:
    def __init__(self):
        self.values = []

    def add(self, value):
        bisect.insort(self.values, value)
        ordered = self.values
        return ordered[len(ordered) // 2]


median, total = Median(), 0
for number in range(7_000):
    total += median.add(number * 7919 % 10_007)
print(total)
