"""The same records, which know each other by name."""


def page(n):
    first = {"name": "first", "data": bytes(200_000)}
    for i in range(n):
        other = {"name": f"part {i}", "page": first["name"]}
        first[i] = other
    return len(first)


print(sum(page(5) for _ in range(6000)))
