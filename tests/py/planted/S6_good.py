"""The same points; what is complete is kept as a tuple."""
import time


class Book:
    def __init__(self):
        self.points = []

    def enter(self, name):
        row = []
        for _ in range(9):
            row.append(None)
        self.points.append(tuple(row))


BOOK = Book()
for name in range(150_000):
    BOOK.enter(name)
time.sleep(1.0)
print(len(BOOK.points))
