"""Nine points for each of many names, appended: each list has room for more than it holds."""
import time


class Book:
    def __init__(self):
        self.points = []

    def enter(self, name):
        row = []                                            # culprit
        for _ in range(9):
            row.append(None)
        self.points.append(row)


BOOK = Book()
for name in range(150_000):
    BOOK.enter(name)
time.sleep(1.0)
print(len(BOOK.points))
