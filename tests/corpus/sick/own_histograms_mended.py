"""Counts requests of a small app."""
import prometheus_client

LATENCY = prometheus_client.Histogram("latency", "seconds", ["method", "path"])


def timed(app):
    def wrapper(method, path):
        status = app(method, path)
        LATENCY.labels(method, path.rpartition("/")[0]).observe(0.01)
        return status
    return wrapper


@timed
def app(method, path):
    return 200 if path.startswith("/orders/") else 404


print(sum(app("GET", f"/orders/{number}") for number in range(5_000)))
