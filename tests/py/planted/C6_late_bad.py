"""A record type made by each job, and kept with its result."""
import collections
import time

RESULTS = []


def job(number):
    Row = collections.namedtuple("Row", "number text price")  # culprit
    RESULTS.append(Row(number, str(number), 1.5))


time.sleep(0.4)
for i in range(700):
    job(i)
time.sleep(0.3)
print(len(RESULTS))
