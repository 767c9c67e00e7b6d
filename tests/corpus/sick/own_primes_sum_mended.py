"""Sums over a long range, for a table of constants."""
import math

LIMIT = 2_500_000


def weight(n):
    return math.sqrt(n) * (1 if n % 3 else -1)


def table(limit):
    squares = (n * n + 1 for n in range(limit))
    total = 0.0
    for square in squares:
        total += weight(square)
    return total


results = {}
for limit in (LIMIT // 4, LIMIT // 2, LIMIT):
    results[limit] = table(limit)
print(results)
