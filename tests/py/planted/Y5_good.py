"""The connection does not know its client."""
class Connection:
    def __init__(self):
        self.buffer = [0] * 300

    def __del__(self):
        self.buffer = None


class Client:
    def __init__(self):
        self.connection = Connection()


for _ in range(30_000):
    Client()
print("done")
