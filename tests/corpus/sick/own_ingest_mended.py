"""Events are read, parsed and put into a queue; one worker writes them out."""
import json
import queue
import threading
import time

events = queue.Queue(maxsize=100)
written = 0


def write():
    global written
    while True:
        event = events.get()
        if event is None:
            return
        time.sleep(0.001)               # the disk
        written += len(event["tags"])


def read(seconds):
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        number += 1
        events.put(json.loads('{"id": %d, "user": "user %d", "tags": ["a%d", "b%d"]}' % (number, number % 100, number, number)))
        if number % 10 == 0:
            time.sleep(0.001)


worker = threading.Thread(target=write, daemon=True)
worker.start()
read(6)
print(written > 0)
