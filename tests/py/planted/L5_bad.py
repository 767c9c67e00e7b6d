"""A queue without a limit, filled faster than it is emptied."""
import queue
import threading
import time

jobs = queue.Queue()


def produce(seconds):
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for _ in range(30):
            jobs.put(f"job {n} " * 20)                      # culprit
            n += 1
        time.sleep(0.001)


def consume():
    while True:
        jobs.get()
        time.sleep(0.001)


threading.Thread(target=consume, daemon=True).start()
produce(2.2)
print(jobs.qsize() > 0)
