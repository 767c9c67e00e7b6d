"""The same workers; what they keep is made before their batch."""
import threading
import time

KEPT = []
START = threading.Barrier(12)


def work():
    START.wait()
    KEPT.append(bytearray(40_000))
    parts = [bytearray(40_000) for _ in range(300)]
    START.wait()
    del parts


workers = [threading.Thread(target=work) for _ in range(12)]
for w in workers:
    w.start()
for w in workers:
    w.join()
del workers, w
time.sleep(0.5)
print(len(KEPT))
