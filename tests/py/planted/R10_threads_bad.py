"""Threads that ended are kept, and with each of them what it downloaded."""
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
        thread = Download(number)                           # culprit
        self.threads.append(thread)
        thread.start()
        thread.join()
        return len(thread.parts)


POOL = Pool()
print(sum(POOL.load(number) for number in range(12) if not time.sleep(0.02)))
