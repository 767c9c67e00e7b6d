"""Log records go to a queue, for a thread that writes them."""
import logging
import logging.handlers
import queue

records = queue.Queue()
log = logging.getLogger("shop")
log.addHandler(logging.handlers.QueueHandler(records))
log.setLevel(logging.INFO)
listener = logging.handlers.QueueListener(records, logging.NullHandler())

total = 0
for number in range(40_000):
    log.info("order %d of %s", number, "someone")
    total += number % 7
print(total)
