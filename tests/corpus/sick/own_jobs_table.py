"""Waits for jobs that end in any order."""


class Jobs:
    def __init__(self):
        self.waiting = set()

    def start(self, count):
        for number in range(count):
            self.waiting.add(number)

    def finish(self, count):
        for number in range(count):
            self.waiting.discard(number)


jobs = Jobs()
jobs.start(500_000)
jobs.finish(499_990)
print(len(jobs.waiting))
