"""The same batch; what is kept was made first."""
import time


def batch(n):
    return [bytearray(40_000) for _ in range(n)]


LAST = bytearray(40_000)
messages = batch(2000)
del messages
time.sleep(0.5)
print(len(LAST))
