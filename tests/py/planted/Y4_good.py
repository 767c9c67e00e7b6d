"""The same requests; the young collections come after more objects than a request makes."""
import gc

gc.set_threshold(200_000, 20, 20)


def request(n):
    rows = []
    for i in range(n):
        rows.append([i])
    return len(rows)


print(sum(request(100_000) for _ in range(240)))
