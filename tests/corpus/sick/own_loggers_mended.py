"""Each job logs under a name of its own."""
import logging

logging.basicConfig(level=logging.WARNING)


class Job:
    def __init__(self, number):
        self.number = number
        self.log = logging.getLogger("jobs")

    def run(self):
        self.log.debug("job %d runs", self.number)
        return self.number % 7


print(sum(Job(number).run() for number in range(45_000)))
