"""One function is told of a fork; it finds the exporters that are left."""
import os
import time
import weakref

EXPORTERS = weakref.WeakSet()


class Exporter:
    def __init__(self, number):
        self.batch = [number] * 60
        EXPORTERS.add(self)

    def begin_anew(self):
        self.batch.clear()


os.register_at_fork(after_in_child=lambda: [exporter.begin_anew() for exporter in EXPORTERS])
end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(30):
        Exporter(n)
        n += 1
    time.sleep(0.001)
print(n > 0)
