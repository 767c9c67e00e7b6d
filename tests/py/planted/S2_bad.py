"""Sessions that were closed, one by one: the table that held them keeps its room."""
import time

OPEN = {}


def serve(n):
    for i in range(n):
        OPEN[i] = None
    for i in range(n - 100):
        del OPEN[i]                                         # culprit


serve(400_000)
time.sleep(0.2)
print(len(OPEN))
