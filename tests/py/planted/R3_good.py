"""The worker lets go of a job before it waits for the next."""
import queue
import threading
import time

jobs = queue.Queue()


def work():
    while True:
        job = jobs.get()
        sum(map(len, job))
        del job
        jobs.task_done()


threading.Thread(target=work, daemon=True).start()
jobs.put([f"part {i}" * 3 for i in range(60_000)])
jobs.join()
time.sleep(0.3)
print("done")
