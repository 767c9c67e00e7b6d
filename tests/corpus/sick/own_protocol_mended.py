"""A line protocol: each connection has a table of its commands. Sessions are replayed from a log."""
import io
import random


class Connection:
    commands = {"PUT": "on_put", "GET": "on_get", "DEL": "on_del"}

    def __init__(self, text):
        self.input = io.StringIO(text)
        self.output = []
        self.data = {}

    def on_put(self, key, value="-"):
        self.data[key] = value * 40
        return "OK"

    def on_get(self, key, value=None):
        return self.data.get(key, "NONE")

    def on_del(self, key, value=None):
        return "OK" if self.data.pop(key, None) else "NONE"

    def run(self):
        for line in self.input:
            command, *arguments = line.split()
            self.output.append(getattr(self, self.commands[command])(*arguments))
        return len(self.output)


def session(rng):
    lines = []
    for _ in range(60):
        command = rng.choice(["PUT", "PUT", "GET", "DEL"])
        line = f"{command} key{rng.randrange(30)}"
        if command == "PUT":
            line += f" value{rng.randrange(1000)}"
        lines.append(line)
    return "\n".join(lines)


rng = random.Random(11)
answered = 0
for _ in range(6000):
    answered += Connection(session(rng)).run()
print(answered)
