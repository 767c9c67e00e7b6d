"""A counter with a label for each user: a child for each of them, for ever."""
import threading
import time


class Counter:
    """In the form of a metrics library: a parent with a child of its own kind for each tuple of labels."""

    def __init__(self, name, labels=()):
        self._name, self._labels = name, labels
        self._lock = threading.Lock()
        self._metrics = {}
        self._value = 0.0

    def labels(self, *values):
        values = tuple(str(v) for v in values)
        with self._lock:
            if values not in self._metrics:
                self._metrics[values] = type(self)(self._name, self._labels)    # culprit
            return self._metrics[values]

    def inc(self, amount=1):
        self._value += amount


REQUESTS = Counter("requests", ["user"])
end, user = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(20):
        REQUESTS.labels(user).inc()
        user += 1
    time.sleep(0.001)
print(user > 0)
