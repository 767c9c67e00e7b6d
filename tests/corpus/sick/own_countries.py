"""Reads visits from a log."""


def log(count):
    for n in range(count):
        yield f"{n};country-{n % 40};browser-{n % 7};page-{n % 90}"


class Visits:
    def __init__(self):
        self.rows = []

    def load(self, lines):
        for line in lines:
            number, country, browser, page = line.split(";")
            self.rows.append((int(number), country, browser, page))


visits = Visits()
visits.load(log(200_000))
print(len(visits.rows))
