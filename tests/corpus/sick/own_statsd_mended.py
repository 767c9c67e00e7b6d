"""A small web application counts its requests by method and path."""
import random
import threading


class Counter:
    def __init__(self, name, *labelnames):
        self.name = name
        self.labelnames = labelnames
        self.children = {}
        self.lock = threading.Lock()

    def labels(self, *values):
        with self.lock:
            child = self.children.get(values)
            if child is None:
                child = self.children[values] = Child()
            return child

    def collect(self):
        return sum(child.value for child in self.children.values())


class Child:
    def __init__(self):
        self.value = 0
        self.lock = threading.Lock()

    def inc(self):
        with self.lock:
            self.value += 1


REQUESTS = Counter("requests", "method", "path", "status")


def handle(method, path):
    status = 200 if int(path.rsplit("/", 1)[1]) % 50 else 404
    REQUESTS.labels(method, path.rsplit("/", 1)[0], status).inc()
    return status


def serve(start, count):
    rng = random.Random(start)
    for number in range(count):
        handle(rng.choice(["GET", "POST"]), f"/users/{start + number}")


threads = [threading.Thread(target=serve, args=(start * 1_000_000, 25_000)) for start in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(REQUESTS.collect())
