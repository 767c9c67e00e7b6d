"""The detail set: the kinds of short-lived blocks one by one, where `micro` mixes them.

For finding out which of them costs; not part of the micro set's geometric mean.
"""
from timing import main, work


@work
def floats():
    x = 0.0
    for i in range(700_000):
        x = x * 0.5 + i * 1.25
    return x


@work
def small_tuples():
    total = 0
    for i in range(1_000_000):
        pair = (i, total)
        total = pair[0]
    return total


@work
def short_lists():
    total = 0
    for i in range(800_000):
        items = [i, total, 3]
        total = items[0]
    return total


@work
def formatting():
    total = 0
    for i in range(200_000):
        total += len(f"{i}:{i + 1}")
    return total


@work
def growing_lists():
    """Realloc: lists that grow one by one."""
    total = 0
    for _ in range(6_000):
        items = []
        for i in range(300):
            items.append(i)
        total += len(items)
    return total


@work
def instances():
    class Small:
        __slots__ = ("a", "b")

        def __init__(self, a, b):
            self.a, self.b = a, b
    total = 0
    for i in range(150_000):
        total += Small(i, 1).b
    return total


@work
def generators():
    return sum(sum(x for x in (i, i + 1, i + 2)) for i in range(120_000))


@work
def comprehensions():
    return sum(len([x for x in range(10)]) + len({x: x for x in range(5)}) for _ in range(80_000))


@work
def big_blocks():
    """512 bytes to 64 KiB: past the small sizes."""
    total = 0
    for i in range(80_000):
        total += len(bytearray(512 + (i % 128) * 512))
    return total


@work
def exceptions():
    total = 0
    for i in range(200_000):
        try:
            raise ValueError(i)
        except ValueError as error:
            total += len(error.args)
    return total


if __name__ == "__main__":
    main(default_repeats=5)
