"""The last error is kept, and with it the frame that had the data."""
import time


class Loader:
    def __init__(self):
        self.last_error = None

    def load(self, number):
        rows = [f"row {i} of {number}" for i in range(60_000)]
        try:
            return rows[number + 100_000]
        except IndexError as e:
            self.last_error = e                             # culprit
        return None


LOADER = Loader()
print(LOADER.load(3))
time.sleep(0.2)
