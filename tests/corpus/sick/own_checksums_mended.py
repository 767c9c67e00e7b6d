"""Checksums of the files of a backup."""
import hashlib
import os
import tempfile


def make(folder, count, size):
    block = os.urandom(1 << 16)
    for number in range(count):
        with open(os.path.join(folder, f"part-{number:03}.bin"), "wb") as f:
            for _ in range(size >> 16):
                f.write(block)


def checksum(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while data := f.read(1 << 18):
            digest.update(data)
    return digest.hexdigest()


def main():
    with tempfile.TemporaryDirectory() as folder:
        make(folder, 12, 60 << 20)
        sums = {}
        for name in sorted(os.listdir(folder)):
            sums[name] = checksum(os.path.join(folder, name))
        print(len(sums), len(set(sums.values())))


main()
