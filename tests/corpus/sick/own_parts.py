"""Uploads: each part is spooled to a temporary file, hashed when it is complete, and answered."""
import hashlib
import tempfile


class Part:
    def __init__(self, name):
        self.name = name
        self.spool = tempfile.TemporaryFile()
        self.digest = hashlib.sha256()
        self.size = 0
        self.on_complete = self.finish

    def write(self, data):
        self.spool.write(data)
        self.digest.update(data)
        self.size += len(data)

    def finish(self):
        self.spool.seek(0)
        head = self.spool.read(4)
        return {"name": self.name, "size": self.size, "sha": self.digest.hexdigest()[:12], "head": head.hex()}


class Upload:
    def __init__(self):
        self.answers = []
        self.bytes = 0

    def receive(self, name, chunks):
        part = Part(name)
        for chunk in chunks:
            part.write(chunk)
        self.close(part.on_complete)

    def close(self, complete):
        answer = complete()
        self.bytes += answer["size"]
        if answer["sha"].startswith("00"):
            self.answers.append(answer)


def chunks(number):
    for piece in range(6):
        yield bytes([number % 256, piece]) * 2000


def main():
    upload = Upload()
    for number in range(3000):
        upload.receive(f"part-{number}", chunks(number))
    print(upload.bytes, len(upload.answers))


main()
