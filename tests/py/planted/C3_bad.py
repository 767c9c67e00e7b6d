"""Each job keeps its own method as the callback."""
class Job:
    def __init__(self, number):
        self.data = [number] * 200
        self.on_done = self.finish                          # culprit

    def finish(self):
        return len(self.data)


print(sum(Job(i).on_done() for i in range(60_000)))
