"""Shows the first page of each listing; more can be asked for."""


class Listing:
    open = {}

    def __init__(self, name, rows):
        self.name, self.rows = name, rows

    def pages(self, size=20):
        rows = [f"{self.name} {n}" for n in range(self.rows)]
        for begin in range(0, len(rows), size):
            yield rows[begin:begin + size]


def first(listing):
    pages = listing.pages()
    page = next(pages)
    Listing.open[listing.name] = pages
    return page


shown = 0
for number in range(3_000):
    shown += len(first(Listing(f"list {number}", 120)))
print(shown)
