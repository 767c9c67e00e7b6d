"""The last error is kept as a text."""
import time


class Loader:
    def __init__(self):
        self.last_error = None

    def load(self, number):
        rows = [f"row {i} of {number}" for i in range(60_000)]
        try:
            return rows[number + 100_000]
        except IndexError as e:
            self.last_error = str(e)
        return None


LOADER = Loader()
print(LOADER.load(3))
time.sleep(0.2)
