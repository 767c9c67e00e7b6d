"""Summaries of accounts."""
import functools


def memoized(cls):
    for name, method in list(vars(cls).items()):
        if name.startswith("get_"):
            setattr(cls, name, method)
    return cls


@memoized
class Account:
    def __init__(self, number):
        self.number, self.bookings = number, [(k, k * number % 97) for k in range(50)]

    def get_summary(self):
        return sum(amount for _, amount in self.bookings)


total = 0
for number in range(12_000):
    account = Account(number)
    total += account.get_summary() + account.get_summary()
print(total)
