"""A function that calls itself, with functools.cache: its entries are the table of the algorithm."""
import functools
import time


@functools.cache
def ways(steps, most):
    if steps == 0:
        return (1,) * 30
    return tuple(sum(part) for part in zip(*(ways(steps - k, most) for k in range(1, min(steps, most) + 1))))


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(4):
        ways(n % 4000, 2 + n // 4000)
        n += 1
    time.sleep(0.001)
print(n > 0)
