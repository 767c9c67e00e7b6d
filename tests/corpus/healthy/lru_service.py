"""Threads ask a cache that is bounded."""

import collections
import hashlib
import random
import threading
import time

random.seed(3)


class LRU:
    def __init__(s, n):
        s.n = n
        s.d = collections.OrderedDict()
        s.lock = threading.Lock()
        s.hit = s.miss = 0

    def get(s, k, make):
        with s.lock:
            if k in s.d:
                s.hit += 1
                s.d.move_to_end(k)
                return s.d[k]
        v = make(k)
        with s.lock:
            s.miss += 1
            s.d[k] = v
            if len(s.d) > s.n:
                s.d.popitem(last=False)
        return v


def page(k):
    return {"id": k, "body": (hashlib.md5(str(k).encode()).hexdigest() * 40), "rows": [(k, i) for i in range(30)]}


c = LRU(6000)
n = 0


def serve(seed):
    global n
    r = random.Random(seed)
    for i in range(40000):
        n += len(c.get(int(r.paretovariate(0.6)) % 60000, page)["rows"])


ts = [threading.Thread(target=serve, args=(i,)) for i in range(3)]
for t in ts:
    t.start()
for t in ts:
    t.join()
print(len(c.d))
