"""A sum over a list that is made for it."""
def total(n):
    return sum([i * 1.5 for i in range(n)])                 # culprit


print(sum(total(400_000) for _ in range(6)))
