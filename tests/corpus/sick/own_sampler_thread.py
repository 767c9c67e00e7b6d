"""A service with a sampler of its own state; requests come now and then."""
import random
import sys
import threading
import time


class Sampler(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.samples = []

    def run(self):
        while True:
            now = time.monotonic()
            self.samples.append({"at": now, "threads": threading.active_count(), "depth": [f"{now}-{i}" for i in range(12)]})
            time.sleep(0.002)


def handle(rng):
    rows = [{"id": i, "value": rng.random()} for i in range(20_000)]
    return max(rows, key=lambda row: row["value"])["id"]


def main():
    sampler = Sampler()
    sampler.start()
    rng = random.Random(3)
    for request in range(8):
        handle(rng)
        time.sleep(0.5)
    print(len(sampler.samples) > 0)


main()
