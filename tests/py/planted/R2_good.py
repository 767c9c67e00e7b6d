"""The same session; the traceback goes when it was read."""
import code
import sys
import time


def load(n):
    rows = [str(i) for i in range(n)]
    raise ValueError(f"{len(rows)} rows are too many")


session = code.InteractiveInterpreter({"load": load})
session.runsource("load(100_000)")
sys.last_traceback = sys.last_value.__traceback__ = sys.last_exc = None
time.sleep(0.2)
print(sys.last_value)
