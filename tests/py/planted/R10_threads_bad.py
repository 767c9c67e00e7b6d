"""Threads that ended are kept by what was asked of them, and with each of them what it downloaded."""
import threading
import time


class Download(threading.Thread):
    def __init__(self, number):
        super().__init__()
        self.number = number

    def run(self):
        self.parts = [f"part {i} of {self.number}" for i in range(6000)]


class Page:
    def __init__(self, number):
        self.number, self.thread, self.size = number, None, 0

    def load(self):
        self.thread = Download(self.number)                 # culprit
        self.thread.start()
        self.thread.join()
        self.size = len(self.thread.parts)
        return self.size


PAGES = [Page(number) for number in range(12)]
print(sum(page.load() for page in PAGES if not time.sleep(0.02)))
