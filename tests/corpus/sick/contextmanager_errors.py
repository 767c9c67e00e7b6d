"""Transactions that are rolled back on an error."""
import contextlib


class Refused(Exception):
    pass


@contextlib.contextmanager
def transaction(log):
    rows = [f"row {n}" for n in range(40)]
    try:
        yield rows
    except Refused:
        log.append(len(rows))


log = []
for number in range(15_000):
    with transaction(log) as rows:
        payload = rows * 3
        if number % 3:
            raise Refused(number, payload)
    log.clear()
print(len(log))
