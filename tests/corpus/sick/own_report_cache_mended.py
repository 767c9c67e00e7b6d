"""Reports of which parts are asked for several times."""


class Report:
    def __init__(self, rows):
        self.rows = rows
        self.totals = {}

    def total(self, column):
        if column not in self.totals:
            self.totals[column] = sum(row[column] for row in self.rows)
        return self.totals[column]

    def summary(self):
        return self.total(0) + self.total(1) / max(1, self.total(0))


def handle(number):
    report = Report([(number + k, k) for k in range(300)])
    return report.summary()


print(round(sum(handle(number) for number in range(5_000))))
