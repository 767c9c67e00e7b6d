"""A job of its own for each message."""
import threading


class Job(threading.Thread):
    def __init__(self, number):
        super().__init__()
        self.number, self.result = number, None

    def run(self):
        self.result = [f"{self.number} {k}" for k in range(40)]


jobs, total = [], 0
for number in range(4_000):
    job = Job(number)
    jobs.append(job)
    job.start()
    job.join()
    total += len(job.result)
    jobs.remove(job)
print(total)
