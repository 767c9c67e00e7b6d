"""Numbers in lists: products, an inverse, and its proof."""

import random

random.seed(25)


def product(a, b):
    columns = list(zip(*b))
    return [[sum(x * y for x, y in zip(row, column)) for column in columns] for row in a]


def inverse(a):
    n = len(a)
    m = [row[:] + [float(i == j) for j in range(n)] for i, row in enumerate(a)]
    for i in range(n):
        best = max(range(i, n), key=lambda r: abs(m[r][i]))
        m[i], m[best] = m[best], m[i]
        pivot = m[i][i]
        m[i] = [v / pivot for v in m[i]]
        for r in range(n):
            if r != i and m[r][i]:
                factor = m[r][i]
                m[r] = [v - factor * w for v, w in zip(m[r], m[i])]
    return [row[n:] for row in m]


a = [[random.random() for _ in range(90)] for _ in range(90)]
one = a
for _ in range(4):
    one = product(inverse(a), a)
print(round(sum(one[i][i] for i in range(90))))
