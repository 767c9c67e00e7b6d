"""What is logged while a request is answered goes into the request's own trace, too."""
import io
import logging

log = logging.getLogger("shop")
log.setLevel(logging.INFO)
log.propagate = False


def answer(number):
    trace = io.StringIO()
    handler = logging.StreamHandler(trace)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log.addHandler(handler)
    log.info("request %d begins", number)
    log.info("request %d ends, %s", number, "x" * 500)
    return len(trace.getvalue())


print(sum(answer(number) for number in range(500)))
