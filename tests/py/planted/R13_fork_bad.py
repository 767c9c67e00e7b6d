"""Each exporter asks to be told of a fork, and can never be taken off."""
import os
import time


class Exporter:
    def __init__(self, number):
        self.batch = [number] * 60
        os.register_at_fork(after_in_child=self.begin_anew)  # culprit

    def begin_anew(self):
        self.batch.clear()


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(30):
        Exporter(n)
        n += 1
    time.sleep(0.001)
print(n > 0)
