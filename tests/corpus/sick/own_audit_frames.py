"""A nightly import that goes on after bad rows."""
import functools


class Audit:
    def __init__(self):
        self.failures = {}

    def guard(self, work):
        @functools.wraps(work)
        def wrapper(number, rows):
            try:
                return work(number, rows)
            except ValueError as error:
                self.failures[number] = error
                return 0
        return wrapper


audit = Audit()


@audit.guard
def load(number, rows):
    parsed = [row.split(",") for row in rows]
    return sum(int(row[2]) for row in parsed)


def batch(number):
    return [f"{number},{k},{'x' if number % 3 == 0 and k == 150 else k}" for k in range(160)]


print(sum(load(number, batch(number)) for number in range(2_400)), len(audit.failures))
