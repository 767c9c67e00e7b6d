"""The agent keeps the last thousand."""
import threading
import time
from collections import deque


class Agent(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.samples = deque(maxlen=1000)

    def run(self):
        while True:
            for _ in range(80):
                self.samples.append((time.time(), f"load {len(self.samples)}" * 4))
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
