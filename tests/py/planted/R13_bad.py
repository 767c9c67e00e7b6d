"""Each widget listens, and none is ever taken off."""
import time


class Bus:
    def __init__(self):
        self.listeners = []

    def subscribe(self, callback):
        self.listeners.append(callback)                     # culprit


class Widget:
    def __init__(self, bus, number):
        self.data = [number] * 40
        bus.subscribe(self.changed)

    def changed(self):
        return len(self.data)


BUS = Bus()
end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(30):
        Widget(BUS, n)
        n += 1
    time.sleep(0.001)
print(n > 0)
