"""Spans know where they were begun."""
import inspect


class Span:
    def __init__(self, name):
        self.name = name
        self.began_in = inspect.currentframe().f_back.f_code

    def close(self):
        return f"{self.name} in {self.began_in.co_name}"


def handle(number):
    rows = [f"{number} row {k}" for k in range(60)]
    span = Span(f"request {number}")
    return len(span.close()) + len(rows)


print(sum(handle(number) for number in range(20_000)))
