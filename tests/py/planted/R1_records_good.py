"""A logging handler collects what the records of what failed say, for a summary that is sent at the end."""
import logging
import time

log = logging.getLogger("importer")


class Collector(logging.Handler):
    pending = {}

    def emit(self, record):
        self.pending[record.args[0] % 300] = record.getMessage()


def check(number):
    if number % 2:
        raise ValueError(number)
    return number


def read(number):
    rows = [f"row {number}-{row} of what is read" for row in range(200)]
    try:
        return check(number) + len(rows)
    except ValueError:
        log.exception("not read: %d", number)
    return 0


log.propagate = False
log.addHandler(Collector())
end, n = time.monotonic() + 1.2, 0
while time.monotonic() < end and n < 800:
    n += 1
    read(n)
time.sleep(0.3)
print(n > 0)
