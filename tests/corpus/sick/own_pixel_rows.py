"""The first row of each camera image is kept to watch for drift."""
import numpy as np
import time


def image(rng):
    return rng.integers(0, 255, (400, 300), dtype=np.uint8)


def watch(count):
    rng = np.random.default_rng(3)
    firsts = []
    for _ in range(count):
        picture = image(rng)
        firsts.append(picture[0])
        time.sleep(0.001)
    drift = [abs(int(a.mean()) - int(b.mean())) for a, b in zip(firsts, firsts[1:])]
    time.sleep(0.2)
    return max(drift)


print(watch(500))
