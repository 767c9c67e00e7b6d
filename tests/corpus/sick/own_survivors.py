"""Reads a day of events, keeps a sample."""
import pickle
import time


def parse(count):
    return [{"id": n, "text": f"event {n}", "tags": [n % 7, n % 11]} for n in range(count)]


def sample(count):
    events = parse(count)
    kept = events[::50]
    return kept


samples = sample(250_000)
time.sleep(1)
print(len(samples))
