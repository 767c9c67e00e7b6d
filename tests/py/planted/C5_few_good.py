"""A few time zones among other work, each of which remembers its last change: the collector sees none of their circles."""
import time
from datetime import datetime, tzinfo


class Zone(tzinfo):
    def __init__(self, name):
        self.name = name * 40
        self.since = datetime(2020, 3, 29)

    def utcoffset(self, when):
        return None


table = {n: f"row {n}" * 3 for n in range(30_000)}
total = 0
for n in range(1500):
    total += len(Zone(f"zone {n} ").name) + len(table[n])
    time.sleep(0.0002)
print(total)
