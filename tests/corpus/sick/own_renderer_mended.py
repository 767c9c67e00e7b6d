"""Renders pictures in threads and then waits for more."""
import queue
import threading
import time

jobs, done = queue.Queue(), []


class Worker(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.start()

    def run(self):
        while True:
            job = jobs.get()
            done.append(self.render(job))
            jobs.task_done()
            del job

    def render(self, job):
        pixels, width = job
        return sum(pixels[::width])


workers = [Worker() for _ in range(6)]
for number in range(24):
    jobs.put((bytearray(6_000_000), 1_000))
jobs.join()
time.sleep(1.5)
print(sum(done))
