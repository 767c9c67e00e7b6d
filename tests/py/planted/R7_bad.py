"""A logger for each request: logging keeps every logger that it ever made."""
import logging
import time


def handle(number):
    log = logging.getLogger(f"request-{number}")            # culprit
    log.debug("begun")
    return log.name


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(20):
        handle(n)
        n += 1
    time.sleep(0.002)
print(n > 0)
