"""Rules note what they changed in a list of each call."""
import time


def normalise(text, trail=None):
    trail = [] if trail is None else trail
    if not text.istitle():
        trail.append((text, text.title()))
    return text.title()


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(40):
        n += len(normalise(f"{n} main street, second floor"))
    time.sleep(0.001)
print(n > 0)
