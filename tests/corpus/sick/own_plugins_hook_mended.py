#: also =
"""An application runs jobs; jobs may hook into its log."""
import logging


class Application:
    def __init__(self):
        self.hooks = []
        self.log = logging.getLogger("app")

    def emit(self, text):
        self.log.debug("%s", text)
        for hook in self.hooks[-3:]:
            hook(text)


class Job:
    def __init__(self, application, number):
        self.application = application
        self.number = number
        self.lines = []
        self.work = list(range(number, number + 200))
        application.hooks.append(self.note)

    def note(self, text):
        self.lines.append(text)

    def run(self):
        total = 0
        for part in range(4):
            total += sum(self.work)
            self.application.emit(f"job {self.number} part {part}")
        self.application.hooks.remove(self.note)
        return total


def main():
    application = Application()
    total = 0
    for number in range(7000):
        total += Job(application, number).run()
    print(total)


main()
