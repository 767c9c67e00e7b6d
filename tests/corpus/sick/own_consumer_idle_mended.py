"""A consumer stores batches as they come; they come rarely."""
import queue
import threading
import time

stored = 0
batches = queue.Queue(maxsize=2)


def store(batch):
    global stored
    stored += sum(len(row) for row in batch)


def consume():
    while True:
        batch = batches.get()
        if batch is None:
            break
        store(batch)
        del batch


def produce(number):
    return [f"row {n} of batch {number} with its text" for n in range(150_000)]


consumer = threading.Thread(target=consume, daemon=True)
consumer.start()
for number in range(3):
    batches.put(produce(number))
    time.sleep(0.6)
print(stored)
