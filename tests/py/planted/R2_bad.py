"""An interactive session: the traceback of what went wrong last holds what it worked on."""
import code
import sys
import time


def load(n):
    rows = [str(i) for i in range(n)]
    raise ValueError(f"{len(rows)} rows are too many")      # culprit


session = code.InteractiveInterpreter({"load": load})
session.runsource("load(100_000)")
time.sleep(0.2)
print(sys.last_value)
