"""The same zones; the time of the change is kept without its zone."""
import time
from datetime import datetime, tzinfo


class Zone(tzinfo):
    def __init__(self, name):
        self.name = name * 20
        self.since = datetime(2020, 3, 29)

    def utcoffset(self, when):
        return None


def shown(n):
    return sum(len(Zone(f"zone {i} ").name) for i in range(n))


print(shown(30_000))
time.sleep(0.2)
