"""Answers requests with tables."""
import gc


def table(request):
    return [(request, n, [n]) for n in range(25_000)]


def answer(request):
    rows = table(request)
    return sum(row[1] + len(row[2]) for row in rows)


print(sum(answer(request) for request in range(150)))
