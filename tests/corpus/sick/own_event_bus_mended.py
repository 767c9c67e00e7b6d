"""Windows that follow a document."""


class Bus:
    def __init__(self):
        self.listeners = {}

    def subscribe(self, event, callback):
        self.listeners.setdefault(event, []).append(callback)

    def unsubscribe(self, event, callback):
        self.listeners[event].remove(callback)

    def publish(self, event, *arguments):
        for callback in self.listeners.get(event, ()):
            callback(*arguments)


bus = Bus()


class Window:
    def __init__(self, number):
        self.title = f"window {number}"
        self.lines = [f"line {k} of {number}" for k in range(60)]
        bus.subscribe("changed", self.redraw)

    def redraw(self, line):
        self.lines[line % 60] = "changed"

    def close(self):
        bus.unsubscribe("changed", self.redraw)


shown = 0
for number in range(8_000):
    window = Window(number)
    if number % 500 == 0:
        bus.publish("changed", number)
    shown += len(window.lines)
    window.close()
print(shown)
