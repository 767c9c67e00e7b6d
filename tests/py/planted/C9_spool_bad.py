"""Uploads are spooled to a temporary file in parts, then counted."""
import tempfile


class Writer:
    def __init__(self, spool):
        self.spool = spool
        self.parts = 0

    def write(self, part):
        self.spool.file.write(part)
        self.parts += 1


class Spool:
    def __init__(self, name):
        self.name = name
        self.file = tempfile.TemporaryFile()
        self.writer = Writer(self)

    def size(self):
        self.file.flush()
        return self.file.tell()


def upload(number):
    spool = Spool(f"upload {number}")
    for part in range(8):
        spool.writer.write(b"%06d" % number * 400)
    return spool.size()


def main():
    total = 0
    for number in range(4000):
        total += upload(number)
    print(total)


main()
