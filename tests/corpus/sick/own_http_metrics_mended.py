"""A web shop's metrics: counters and histograms with labels, rendered for the scraper."""
import bisect
import random
import re

BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5]


class Metric:
    def __init__(self, name, *labelnames):
        self.name = name
        self.labelnames = labelnames
        self.children = {}

    def labels(self, *values):
        child = self.children.get(values)
        if child is None:
            child = self.children[values] = self.make()
        return child


class Counter(Metric):
    class Child:
        def __init__(self):
            self.value = 0

        def inc(self):
            self.value += 1

    def make(self):
        return self.Child()


class Histogram(Metric):
    class Child:
        def __init__(self):
            self.counts = [0] * (len(BUCKETS) + 1)
            self.sum = 0.0

        def observe(self, value):
            self.counts[bisect.bisect_left(BUCKETS, value)] += 1
            self.sum += value

    def make(self):
        return self.Child()


REQUESTS = Counter("http_requests_total", "method", "path", "status")
LATENCY = Histogram("http_request_seconds", "method", "path")


def observe(method, path, status, seconds):
    route = re.sub(r"\d+", "ID", path)
    REQUESTS.labels(method, route, status).inc()
    LATENCY.labels(method, route).observe(seconds)


def serve(count):
    rng = random.Random(12)
    for number in range(count):
        kind = rng.random()
        if kind < 0.5:
            observe("GET", f"/products/{rng.randrange(200_000)}", 200, rng.expovariate(20))
        elif kind < 0.8:
            observe("GET", f"/orders/{number}/status", 200, rng.expovariate(9))
        else:
            observe("POST", "/cart", 303, rng.expovariate(30))


def scrape():
    samples = sum(child.value for child in REQUESTS.children.values())
    return samples, round(sum(child.sum for child in LATENCY.children.values()))


serve(60_000)
print(*scrape())
