"""Sums up large files part by part."""
import tempfile
import zlib


def write(f, parts):
    for n in range(parts):
        f.write(bytes([n % 251]) * (1 << 18))


class Summer:
    size = 1 << 20

    def parts(self, f):
        f.seek(0)
        while True:
            buffer = bytearray(self.size)
            count = f.readinto(buffer)
            if not count:
                return
            yield memoryview(buffer)[:count]

    def sum(self, f):
        total = 0
        for part in self.parts(f):
            total = zlib.adler32(part[:4096], total)
        return total


with tempfile.TemporaryFile() as f:
    write(f, 256)
    summer = Summer()
    print([summer.sum(f) for _ in range(40)][-1])
