"""Log lines of a request carry its number."""
import logging

log = logging.getLogger("shop")
log.addHandler(logging.NullHandler())
log.setLevel(logging.INFO)


class Number(logging.Filter):
    def __init__(self, number):
        super().__init__()
        self.number = number
        self.basket = [f"{number} article {k}" for k in range(10)]

    def filter(self, record):
        record.number = self.number
        return True


def handle(number):
    mark = Number(number)
    log.addFilter(mark)
    if number % 500 == 0:
        log.info("request")
    log.removeFilter(mark)
    return len(mark.basket)


print(sum(handle(number) for number in range(7_000)))
