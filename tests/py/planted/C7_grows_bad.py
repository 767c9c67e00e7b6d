"""A weak dictionary keeps a bound method for each object: nothing leaves it, and it grows with the requests."""
import time
import weakref


class Page:
    def __init__(self, number):
        self.number, self.text = number, f"page {number} " * 40

    def show(self):
        return self.text


shown = weakref.WeakKeyDictionary()                         # culprit
end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(20):
        page = Page(n)
        shown[page] = page.show
        n += len(shown[page]()) > 0
    time.sleep(0.001)
print(n > 0)
