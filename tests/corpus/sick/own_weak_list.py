"""Open windows, without holding them."""
import weakref


class Window:
    windows = []

    def __init__(self, title):
        self.title = title
        self.windows.append(weakref.ref(self))

    @classmethod
    def open(cls):
        return [window for ref in cls.windows[-50:] if (window := ref()) is not None]


shown = 0
for number in range(160_000):
    window = Window(f"window {number}")
    shown += len(Window.open())
print(shown)
