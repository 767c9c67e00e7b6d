"""Threads that ended are forgotten."""
import threading
import time


class Download(threading.Thread):
    def __init__(self, number):
        super().__init__()
        self.number = number

    def run(self):
        self.parts = [f"part {i} of {self.number}" for i in range(6000)]


class Pool:
    def __init__(self):
        self.threads = []

    def load(self, number):
        thread = Download(number)
        self.threads.append(thread)
        thread.start()
        thread.join()
        self.threads.remove(thread)
        return len(thread.parts)


POOL = Pool()
print(sum(POOL.load(number) for number in range(12) if not time.sleep(0.02)))
