"""Sessions of a short run have a table of the names of their methods."""
class Session:
    def __init__(self, number):
        self.values = [f"{number} {k}" for k in range(80)]
        self.commands = {"size": "size"}

    def size(self):
        return len(self.values)


print(sum(getattr(session, session.commands["size"])() for session in map(Session, range(6_000))))
