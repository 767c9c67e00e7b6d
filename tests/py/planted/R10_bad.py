"""A pool's threads wait, and their thread-locals still hold what the last job worked on."""
import queue
import threading
import time

local = threading.local()
jobs = queue.Queue()


def work():
    local.rows = []
    while True:
        number = jobs.get()
        load(number)
        jobs.task_done()


def load(number):
    local.rows = [f"row {i} of {number}" for i in range(20_000)]     # culprit


for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
for number in range(30):
    jobs.put(number)
jobs.join()
time.sleep(0.3)
print("done")
