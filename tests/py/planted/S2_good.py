"""The same sessions; the table is made anew when they are closed."""
import time

OPEN = {}


def serve(n):
    global OPEN
    for i in range(n):
        OPEN[i] = None
    for i in range(n - 100):
        del OPEN[i]
    OPEN = dict(OPEN)


serve(400_000)
time.sleep(0.2)
print(len(OPEN))
