"""A reader of framed messages from a slow link."""
import random
import struct


class Link:
    def __init__(self):
        self.data = b""
        self.messages = 0

    def feed(self, chunk):
        self.data = self.data + chunk

    def finish(self):
        at = 0
        data = bytes(self.data)
        while at < len(data):
            size, = struct.unpack_from(">I", data, at)
            at += 4 + size
            self.messages += 1
        return self.messages


def chunks(count):
    rng = random.Random(7)
    for _ in range(count):
        size = rng.randrange(50, 400)
        yield struct.pack(">I", size) + bytes(size)


def main():
    for connection in range(3):
        link = Link()
        for chunk in chunks(12_000):
            link.feed(chunk)
        print(connection, link.finish())


main()
