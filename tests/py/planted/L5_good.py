"""The queue has room for a hundred jobs; the producer waits."""
import queue
import threading
import time

jobs = queue.Queue(maxsize=100)


def produce(seconds):
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for _ in range(30):
            jobs.put(f"job {n} " * 20)
            n += 1
        time.sleep(0.001)


def consume():
    while True:
        jobs.get()
        time.sleep(0.00001)


threading.Thread(target=consume, daemon=True).start()
produce(2.2)
print(jobs.qsize() >= 0)
