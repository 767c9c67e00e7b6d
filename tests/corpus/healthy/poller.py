"""A poller with windows and percentiles, waiting most of the time."""

import collections
import random
import time

random.seed(5)
win = {k: collections.deque(maxlen=300) for k in range(20)}
alarms = collections.deque(maxlen=50)
end = time.monotonic() + 5
while time.monotonic() < end:
    for k, w in win.items():
        w.append(random.expovariate(1))
        s = sorted(w)
        p99 = s[int(len(s) * 0.99)]
        if p99 > 5:
            alarms.append({"k": k, "p99": p99, "at": time.time()})
    time.sleep(0.004)
print(len(alarms) > 0)
