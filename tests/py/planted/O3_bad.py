"""A batch of messages of 40 KiB, freed when it is done; one that came last is kept, and holds all the heap below it."""
import time


def batch(n):
    return [bytearray(40_000) for _ in range(n)]            # culprit


messages = batch(2000)
LAST = messages.pop()
del messages
time.sleep(0.5)
print(len(LAST))
