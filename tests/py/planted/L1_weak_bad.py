"""A list of weak references, from which the dead ones are never taken."""
import time
import weakref


class View:
    pass


class Table:
    def __init__(self):
        self.views = []

    def view(self):
        view = View()
        self.views.append(weakref.ref(view))                # culprit
        return view


TABLE = Table()
end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(100):
        TABLE.view()
        n += 1
    time.sleep(0.001)
print(n > 0)
