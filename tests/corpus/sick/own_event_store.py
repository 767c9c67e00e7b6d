"""Writes events in a thread of its own."""
import queue
import threading
import time


class Writer(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.events, self.written = queue.Queue(), 0

    def run(self):
        while (event := self.events.get()) is not None:
            self.written += len(event)
            if self.written % 20 == 0:
                time.sleep(0.0005)

    def put(self, event):
        self.events.put(event)


writer = Writer()
writer.start()
for number in range(60_000):
    writer.put({"number": number, "text": f"event {number}", "level": number % 5})
print("written")
