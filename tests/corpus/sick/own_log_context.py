"""Workers that tell their last error on a status page."""


class Worker:
    def __init__(self, number):
        self.number, self.error, self.done = number, None, 0

    def run(self, job):
        data = bytearray(60_000)
        rows = [f"{self.number} {job} {k}" for k in range(50)]
        try:
            data[0] = len(rows) // (job % 2)
            self.done += 1
        except ZeroDivisionError as error:
            self.error = error


workers = [Worker(number) for number in range(900)]
for job in range(4):
    for worker in workers:
        worker.run(job)
print(sum(worker.done for worker in workers))
