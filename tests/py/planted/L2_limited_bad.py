"""A cache with a limit on a method: it holds the last tables, and all their rows."""
import functools


class Table:
    def __init__(self, day):
        self.day = day
        self.rows = [f"row {day} {n}" for n in range(4_000)]

    @functools.lru_cache(maxsize=16)                        # culprit
    def total(self):
        return sum(map(len, self.rows))


print(sum(Table(day).total() for day in range(40)) > 0)
