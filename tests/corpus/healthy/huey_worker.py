"""A task queue with worker threads, retries and results."""
import logging
import threading
import time

from huey import MemoryHuey

logging.disable(logging.CRITICAL)
huey = MemoryHuey("jobs", results=True)


@huey.task()
def add(a, b):
    return sum(range(a)) + b


@huey.task(retries=1)
def unsure(number):
    if number % 3 == 0:
        raise ValueError(number)
    return number


consumer = huey.create_consumer(workers=2, initial_delay=0.001, max_delay=0.002, periodic=False, check_worker_health=False)
consumer._set_signal_handlers = lambda: None
consumer.start()
total = 0
for batch in range(40):
    results = [add(100, n) for n in range(30)]
    errors = [unsure(n) for n in range(15)]
    total += sum(result.get(blocking=True, timeout=20) for result in results)
    for result in errors:
        try:
            result.get(blocking=True, timeout=20)
        except Exception:
            total += 1
    huey.storage.flush_results()
consumer.stop(graceful=True)
print(total)
