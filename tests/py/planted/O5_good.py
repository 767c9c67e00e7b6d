"""The prices are one object: reading them writes to nothing."""
import os
import time
from array import array

DAYS = [f"day {i}" for i in range(250_000)]
PRICES = array("d", (i * 1.5 for i in range(250_000)))


def work():
    total = 0.0
    for price in PRICES:
        total += price
    time.sleep(1.5)
    os._exit(0)


def serve(workers):
    pids = []
    for _ in range(workers):
        pid = os.fork()
        if pid == 0:
            work()
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)


serve(3)
print(len(PRICES))
