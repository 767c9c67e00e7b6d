"""The large blocks go first to last, and nothing lies above them."""
import time


def inflate(n):
    total = 0
    for _ in range(n):
        total += len(bytearray(1 << 20))
    return total


print(inflate(60))
time.sleep(0.4)
