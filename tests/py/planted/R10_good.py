"""The same buffer serves each job of its thread."""
import queue
import threading
import time

local = threading.local()
jobs = queue.Queue()


def work():
    local.rows = [""] * 20_000
    while True:
        number = jobs.get()
        load(number)
        jobs.task_done()


def load(number):
    for i in range(20_000):
        local.rows[i] = f"row {i} of {number}"
    local.rows[:] = [""] * 20_000


for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
for number in range(30):
    jobs.put(number)
jobs.join()
time.sleep(0.3)
print("done")
