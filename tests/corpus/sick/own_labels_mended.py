"""A service that counts its requests."""
from prometheus_client import Counter, Histogram

requests = Counter("requests", "Requests answered", ["path", "status"])
seconds = Histogram("seconds", "Seconds of a request", ["path"])


def answer(path):
    path = "/users/*/orders"
    seconds.labels(path=path).observe(0.01)
    requests.labels(path=path, status="200").inc()


for number in range(8_000):
    answer(f"/users/{number}/orders")
print(requests.describe()[0].name)
