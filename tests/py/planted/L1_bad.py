"""A cache that is never emptied, filled by each request."""
import time


class Views:
    def __init__(self):
        self.seen = {}

    def get(self, visitor):
        if visitor not in self.seen:
            self.seen[visitor] = [visitor] * 60             # culprit
        return self.seen[visitor]


VIEWS = Views()
end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(50):
        VIEWS.get(n)
        n += 1
    time.sleep(0.001)
print(n > 0)
