"""A service with an agent that watches it."""
import sys
import threading
import time
import traceback


class Agent(threading.Thread):
    def __init__(self, every):
        super().__init__(daemon=True)
        self.every, self.samples, self.sent = every, [], 0

    def run(self):
        while True:
            time.sleep(self.every)
            frames = sys._current_frames().values()
            self.samples.append([traceback.format_stack(frame) for frame in frames])


def handle(number):
    return sum(hash(f"{number}:{k}") & 1 for k in range(3_000))


Agent(0.002).start()
until, served = time.monotonic() + 4, 0
while time.monotonic() < until:
    served += handle(served) > 0
    time.sleep(0.004)
print(served > 0)
