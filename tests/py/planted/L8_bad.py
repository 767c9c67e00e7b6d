"""An agent takes a sample every few milliseconds, and keeps them all; the program itself works now and then."""
import threading
import time


class Agent(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.samples = []

    def run(self):
        while True:
            for _ in range(80):
                self.samples.append((time.time(), f"load {len(self.samples)}" * 4))     # culprit
            time.sleep(0.005)


def work(seconds):
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for i in range(10_000):
            n += len(f"row {i}" * 3)
        time.sleep(0.002)
    return n


Agent().start()
total = 0
for _ in range(3):
    total += work(0.4)
    time.sleep(1)
print(total > 0)
