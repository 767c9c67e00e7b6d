"""tee() keeps what one of its iterators has read and the other has not."""
import itertools
import time


def rows(n):
    for i in range(n):
        yield f"row {i}" * 3


class Report:
    def __init__(self, n):
        self.longest, self.lengths = itertools.tee(rows(n))     # culprit
        self.most = max(map(len, self.longest))


REPORT = Report(150_000)
time.sleep(0.3)
print(REPORT.most)
