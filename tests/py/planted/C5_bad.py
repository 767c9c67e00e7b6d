"""Time zones that remember their last change: a datetime is no object of the collector's, and hides the circle."""
import time
from datetime import datetime, tzinfo


class Zone(tzinfo):
    def __init__(self, name):
        self.name = name * 20
        self.since = datetime(2020, 3, 29, tzinfo=self)     # culprit

    def utcoffset(self, when):
        return None


def shown(n):
    return sum(len(Zone(f"zone {i} ").name) for i in range(n))


print(shown(30_000))
time.sleep(0.2)
