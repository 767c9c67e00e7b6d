"""A worker waits for its next job, and its variable still holds the last."""
import queue
import threading
import time

jobs = queue.Queue()


def work():
    while True:
        job = jobs.get()                                    # culprit
        sum(map(len, job))
        jobs.task_done()


threading.Thread(target=work, daemon=True).start()
jobs.put([f"part {i}" * 3 for i in range(60_000)])
jobs.join()
time.sleep(0.3)
print("done")
