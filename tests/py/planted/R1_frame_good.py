"""Who asked for a table is remembered by name and line."""
import sys
import time

CALLERS = {}


def table(name):
    frame = sys._getframe(1)
    CALLERS[name] = frame.f_code.co_name, frame.f_lineno
    return {"name": name}


def load(number):
    rows = [f"row {i} of {number}" for i in range(60_000)]
    return len(rows) + len(table(f"table {number}"))


print(load(3))
time.sleep(0.2)
