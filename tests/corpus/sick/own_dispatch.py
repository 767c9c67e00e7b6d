"""A small command server; each connection has a session."""
import io


class Base:
    commands = {}

    def __init__(self, stream):
        self.stream = stream
        self.log = []

    def run(self):
        for line in self.stream:
            verb, _, rest = line.strip().partition(" ")
            self.log.append(self.answer(verb, rest))
        return self.log


class Session(Base):
    def __init__(self, stream):
        super().__init__(stream)
        self.values = {}
        self.commands = {"set": self.do_set, "get": self.do_get, "del": self.do_del}

    def answer(self, verb, rest):
        return self.commands[verb](rest)

    def do_set(self, rest):
        key, _, value = rest.partition("=")
        self.values[key] = value

    def do_get(self, rest):
        return self.values.get(rest)

    def do_del(self, rest):
        return self.values.pop(rest, None)


SCRIPT = "".join(f"set k{n}=value {n}\nget k{n}\n" for n in range(40)) + "del k3\n"
print(sum(len(Session(io.StringIO(SCRIPT)).run()) for _ in range(3_000)))
