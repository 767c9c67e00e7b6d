"""A log is read whole to be gone through once."""
import os
import tempfile


def count(path):
    found = 0
    with open(path) as f:
        for line in f.readlines():                          # culprit
            found += "error" in line
    return found


with tempfile.NamedTemporaryFile("w", suffix=".log", delete=False) as log:
    for i in range(300_000):
        log.write(f"{i} an error of the usual kind, or none at all\n")
print(sum(count(log.name) for _ in range(2)))
os.unlink(log.name)
