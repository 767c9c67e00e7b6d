"""A counter of prometheus_client with a label for each kind of user."""
# needs: prometheus_client
import time

from prometheus_client import Counter

REQUESTS = Counter("requests", "by user", ["plan"])


def handle(user):
    REQUESTS.labels(plan=user % 3).inc()


end, user = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(20):
        handle(user)
        user += 1
    time.sleep(0.001)
print(user > 0)
