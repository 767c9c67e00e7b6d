"""Objects with __del__ in a circle."""
class Connection:
    def __init__(self, owner):
        self.owner = owner                                  # culprit
        self.buffer = [0] * 300

    def __del__(self):
        self.buffer = None


class Client:
    def __init__(self):
        self.connection = Connection(self)


for _ in range(30_000):
    Client()
print("done")
