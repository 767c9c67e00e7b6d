"""A buffer that is written out now and then, the last time a while ago."""
import time

LINES = []


def note(number):
    LINES.append([number, str(number) * 20])


began, number, written = time.monotonic(), 0, 0
while time.monotonic() < began + 3:
    for _ in range(20):
        note(number)
        number += 1
    if written < 2 and time.monotonic() > began + 0.9 * (written + 1):
        written += 1
        LINES.clear()
    time.sleep(0.001)
print(len(LINES))
