"""Work whose steps are logged with annotations."""
import logging

from annotated_logger import AnnotatedLogger

logging.getLogger().setLevel(logging.ERROR)
annotate = AnnotatedLogger(name="shop").annotate_logs


@annotate(_typing_requested=True)
def book(annotated_logger, number):
    annotated_logger.annotate(number=number)
    return number % 7


print(sum(book(n) for n in range(15_000)))
