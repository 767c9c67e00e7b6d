"""Summaries of a large table."""


def load(count):
    return [[n, f"name of {n}", n % 100] for n in range(count)]


def summary(count):
    table = load(count)
    groups = {}
    for _, name, group in table:
        groups[group] = groups.get(group, 0) + len(name)
    numbers = []
    for step in range(500_000):
        numbers.append(step * groups[step % 100])
    return len(numbers) + len(groups)


print(summary(200_000))
