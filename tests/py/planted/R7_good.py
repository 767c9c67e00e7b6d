"""One logger; the request is told with each record."""
import logging
import time

LOG = logging.getLogger("requests")


def handle(number):
    log = logging.LoggerAdapter(LOG, {"request": number})
    log.debug("begun")
    return log.name


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(20):
        handle(n)
        n += 1
    time.sleep(0.002)
print(n > 0)
