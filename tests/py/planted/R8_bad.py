"""Generators are begun for their first row, kept, and never finished."""
import time


def rows(number):                                           # culprit
    data = [number] * 500
    for value in data:
        yield value


BEGUN = []
for i in range(1500):
    reader = rows(i)
    next(reader)
    BEGUN.append(reader)
time.sleep(0.2)
print(len(BEGUN))
