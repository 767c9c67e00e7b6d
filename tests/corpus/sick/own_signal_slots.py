"""Views of a model; each is shown for a moment."""


class Signal:
    def __init__(self):
        self.slots = set()

    def connect(self, slot):
        self.slots.add(slot)

    def emit(self, value):
        for slot in list(self.slots)[:5]:
            slot(value)


class Model:
    changed = Signal()


class View:
    def __init__(self, number):
        self.rows = [f"{number} {k}" for k in range(40)]
        Model.changed.connect(self.refresh)

    def refresh(self, value):
        self.rows[0] = value

    def close(self):
        return len(self.rows)


shown = 0
for number in range(9_000):
    view = View(number)
    if number % 500 == 0:
        Model.changed.emit("x")
    shown += view.close()
print(shown)
