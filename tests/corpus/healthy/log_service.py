"""A service that logs: rotated files, a handler with a buffer, counters."""

import logging
import logging.handlers
import os
import random
import tempfile

d = tempfile.mkdtemp()
random.seed(2)
log = logging.getLogger("svc")
log.setLevel("DEBUG")
log.propagate = False
f = logging.handlers.RotatingFileHandler(d + "/x.log", maxBytes=300000, backupCount=3)
f.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
m = logging.handlers.MemoryHandler(500, target=f)
log.addHandler(m)
subs = [logging.getLogger(f"svc.part{i}") for i in range(20)]
for i in range(60000):
    l = random.choice(subs)
    l.info("request %d took %.2f", i, random.random())
    if i % 1000 == 0:
        try:
            1 / 0
        except ZeroDivisionError:
            l.exception("failed")
m.close()
print(sorted(os.listdir(d)))
