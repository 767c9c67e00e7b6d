"""Shows the end of a log."""
import collections
import tempfile


def tail(path, count):
    with open(path) as f:
        return f.readlines()[-count:]


with tempfile.NamedTemporaryFile("w") as f:
    for n in range(400_000):
        f.write(f"message {n} of the service, which is long enough\n")
    f.flush()
    print(sum(len(tail(f.name, 10)) for _ in range(4)))
