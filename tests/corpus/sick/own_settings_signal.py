"""Widgets follow the settings."""
class Setting:
    def __init__(self, value):
        self.value = value
        self.changed = []

    def set(self, value):
        self.value = value
        for call in self.changed:
            call(value)


class Widget:
    def __init__(self, number, size):
        self.label = f"widget {number}"
        self.cells = [0] * 40
        self.width = size.value
        size.changed.append(lambda width: setattr(self, "width", width))

    def close(self):
        self.cells.clear()


size = Setting(80)
for number in range(30_000):
    widget = Widget(number, size)
    if number % 10_000 == 9_999:
        size.set(number)
    widget.close()
print(size.value)
