"""Mean and deviation of a stream."""
import itertools


def readings():
    value = 17
    for _ in range(1_500_000):
        value = value * 1_103_515_245 % 2_147_483_647
        yield value / 2_147_483_647


first, second = itertools.tee(readings())
count = total = 0
for value in first:
    count, total = count + 1, total + value
mean = total / count
print(round((sum((value - mean) ** 2 for value in second) / count) ** 0.5, 6))
