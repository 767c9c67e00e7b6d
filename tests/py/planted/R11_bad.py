"""The head of each packet is kept as a view, and with it the packet."""
import time


def head(number):
    packet = bytes([number % 251]) * 60_000
    return memoryview(packet)[:16]                          # culprit


HEADS = [head(i) for i in range(200)]
time.sleep(0.2)
print(len(HEADS))
