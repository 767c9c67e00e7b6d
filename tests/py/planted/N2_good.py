"""The same sum over a generator."""
def total(n):
    return sum(i * 1.5 for i in range(n))


print(sum(total(400_000) for _ in range(6)))
