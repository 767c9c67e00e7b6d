"""Connections are one for each address, by a metaclass."""


class Single(type):
    def __init__(cls, name, bases, space):
        super().__init__(name, bases, space)
        cls._instances = {}

    def __call__(cls, *arguments):
        found = cls._instances.get(arguments)
        if found is None:
            found = super().__call__(*arguments)
        return found


class Connection(metaclass=Single):
    def __init__(self, host, port):
        self.host, self.port, self.buffer = host, port, bytearray(300)

    def send(self, data):
        self.buffer[:len(data)] = data
        return len(data)


sent = 0
for number in range(24_000):
    sent += Connection(f"10.0.{number >> 8}.{number & 255}", 80 + number % 3).send(b"hello")
print(sent)
