"""Message buffers of many connections."""


class Connection:
    def __init__(self, number):
        self.buffer = bytearray()
        self.number = number

    def receive(self, data):
        self.buffer += data
        end = self.buffer.rfind(b"\n")
        message, rest = self.buffer[:end], self.buffer[end + 1:]
        self.buffer = bytearray(rest)
        return len(message)


connections = [Connection(number) for number in range(3_000)]
total = 0
for connection in connections:
    total += connection.receive(b"x" * 16_000 + b"\nrest")
print(total)
