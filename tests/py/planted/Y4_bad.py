"""Each request builds a table and drops it: the young collections in between carry its rows on, and free nothing."""


def request(n):
    rows = []
    for i in range(n):
        rows.append([i])                                    # culprit
    return len(rows)


print(sum(request(100_000) for _ in range(240)))
