"""Sessions of a short run keep a table of their own methods."""
class Session:
    def __init__(self, number):
        self.values = [f"{number} {k}" for k in range(80)]
        self.commands = {"size": self.size}                 # culprit

    def size(self):
        return len(self.values)


print(sum(Session(i).commands["size"]() for i in range(6_000)))
