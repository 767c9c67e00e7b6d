"""Forked workers read what was loaded before: each look counts a reference, and copies a page."""
import os
import time

PRICES = [(f"day {i}", i * 1.5) for i in range(250_000)]    # culprit


def work():
    total = 0.0
    for _, price in PRICES:
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
