"""Who asked for a table is remembered by the caller's frame, and that has the rows."""
import sys
import time

CALLERS = {}


def table(name):
    CALLERS[name] = sys._getframe(1)                        # culprit
    return {"name": name}


def load(number):
    rows = [f"row {i} of {number}" for i in range(60_000)]
    return len(rows) + len(table(f"table {number}"))


print(load(3))
time.sleep(0.2)
