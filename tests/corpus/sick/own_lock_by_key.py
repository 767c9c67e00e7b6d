"""Transfers between accounts under locks by account."""
import contextlib
import threading


class Locks:
    def __init__(self):
        self.guard, self.locks = threading.Lock(), {}

    @contextlib.contextmanager
    def lock_for(self, key):
        with self.guard:
            lock = self.locks.setdefault(key, threading.Lock())
        with lock:
            yield


locks, total = Locks(), 0
for number in range(90_000):
    with locks.lock_for(f"account-{number * 7919 % 1_000_003}"):
        total += number
print(total)
