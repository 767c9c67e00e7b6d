"""The jobs keep the callback's name."""
class Job:
    def __init__(self, number):
        self.data = [number] * 200
        self.on_done = "finish"

    def finish(self):
        return len(self.data)


print(sum(getattr(job, job.on_done)() for job in map(Job, range(60_000))))
