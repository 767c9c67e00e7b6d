"""The heads are copied."""
import time


def head(number):
    packet = bytes([number % 251]) * 60_000
    return bytes(memoryview(packet)[:16])


HEADS = [head(i) for i in range(200)]
time.sleep(0.2)
print(len(HEADS))
