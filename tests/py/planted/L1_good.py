"""The same cache, of 500 entries."""
import time
from collections import OrderedDict


class Views:
    def __init__(self):
        self.seen = OrderedDict()

    def get(self, visitor):
        if visitor not in self.seen:
            self.seen[visitor] = [visitor] * 60
            if len(self.seen) > 500:
                self.seen.popitem(last=False)
        return self.seen[visitor]


VIEWS = Views()
end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(50):
        VIEWS.get(n)
        n += 1
    time.sleep(0.001)
print(n > 0)
