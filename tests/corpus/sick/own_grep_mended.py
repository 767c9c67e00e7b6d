"""Finds errors in a log file."""
import sys
import tempfile


def write(path, count):
    with open(path, "w") as f:
        for n in range(count):
            f.write(f"2026-01-01 {'ERROR' if n % 1000 == 0 else 'INFO'} message number {n} of the service\n")


class Log:
    def __init__(self, path):
        self.path = path

    def errors(self):
        with open(self.path) as f:
            for line in f:
                if " ERROR " in line:
                    yield line


with tempfile.NamedTemporaryFile() as f:
    write(f.name, 500_000)
    print(sum(1 for _ in Log(f.name).errors()))
