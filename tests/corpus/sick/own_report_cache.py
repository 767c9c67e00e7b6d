"""Reports of which parts are asked for several times."""
import functools


class Report:
    def __init__(self, rows):
        self.rows = rows

    @functools.lru_cache(maxsize=None)
    def total(self, column):
        return sum(row[column] for row in self.rows)

    def summary(self):
        return self.total(0) + self.total(1) / max(1, self.total(0))


def handle(number):
    report = Report([(number + k, k) for k in range(300)])
    return report.summary()


print(round(sum(handle(number) for number in range(5_000))))
