"""Records as dicts that refer to each other: few objects with much in them, so the collector comes late."""


def page(n):
    first = {"name": "first", "data": bytes(200_000)}
    for i in range(n):
        other = {"name": f"part {i}", "page": first}        # culprit
        first[i] = other
    return len(first)


print(sum(page(5) for _ in range(6000)))
