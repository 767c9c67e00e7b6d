"""Blocks of 1 MiB that malloc learnt to keep: under a live one, they stay."""
import time


def inflate(n):
    return [bytearray(1 << 20) for _ in range(n)]           # culprit


bytearray(30 << 20)                                         # malloc's threshold learns
parts = inflate(60)
KEPT = bytearray(900_000)
del parts
time.sleep(0.4)
print(len(KEPT))
