"""Twelve workers, each with a heap of malloc's: each frees its batch, and keeps what it made last."""
import threading
import time

KEPT = []
START = threading.Barrier(12)


def work():
    START.wait()
    parts = [bytearray(40_000) for _ in range(300)]         # culprit
    KEPT.append(parts.pop())
    START.wait()


workers = [threading.Thread(target=work) for _ in range(12)]
for w in workers:
    w.start()
for w in workers:
    w.join()
del workers, w
time.sleep(0.5)
print(len(KEPT))
