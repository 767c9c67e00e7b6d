"""A scheduler runs small jobs and keeps the outcome of each by its id, for the status page."""
import random


class Job:
    def __init__(self, number, rows):
        self.number = number
        self.rows = rows

    def run(self):
        table = [(row, row * self.number % 97, f"r{row}") for row in range(self.rows)]
        index = {text: value for _, value, text in table}
        return self.check(table, index)

    def check(self, table, index):
        if self.number % 3 == 0:
            raise ValueError(f"job {self.number}: sums differ")
        return sum(value for _, value, _ in table) + len(index)


class Scheduler:
    def __init__(self):
        self.outcomes = {}
        self.runs = 0

    def execute(self, job):
        self.runs += 1
        try:
            outcome = ("done", job.run())
        except ValueError as error:
            outcome = ("failed", error)
        self.outcomes[job.number] = outcome

    def status(self):
        done = sum(1 for state, _ in self.outcomes.values() if state == "done")
        return f"{done} done, {len(self.outcomes) - done} failed of {self.runs}"


def main():
    rng = random.Random(3)
    scheduler = Scheduler()
    for number in range(1200):
        scheduler.execute(Job(number, rng.randrange(200, 900)))
    print(scheduler.status())


if __name__ == "__main__":
    main()
