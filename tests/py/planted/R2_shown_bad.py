"""An interactive session: what was shown last is kept as `_`."""
import code
import sys
import time


def load(n):
    return [str(i) for i in range(n)]                       # culprit


sys.stdout.write = lambda text: len(text)
session = code.InteractiveInterpreter({"load": load})
session.runsource("load(100_000)")
time.sleep(0.2)
