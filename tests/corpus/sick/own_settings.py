"""Settings of all users."""
import collections

DEFAULTS = {f"option_{n}": None for n in range(24)}


def settings(given):
    return {**DEFAULTS, **given}


class Users:
    def __init__(self):
        self.table = {}

    def add(self, number):
        self.table[number] = settings({"option_3": number})


users = Users()
for number in range(40_000):
    users.add(number)
print(sum(users.table[number]["option_3"] for number in range(0, 40_000, 9)))
