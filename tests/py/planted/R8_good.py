"""The generators are closed after their first row."""
import contextlib
import time


def rows(number):
    data = [number] * 500
    for value in data:
        yield value


BEGUN = []
for i in range(1500):
    with contextlib.closing(rows(i)) as reader:
        next(reader)
        BEGUN.append(reader)
time.sleep(0.2)
print(len(BEGUN))
