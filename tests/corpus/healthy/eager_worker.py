"""A worker with tasks, retries, results that expire, and a log."""

import collections
import hashlib
import json
import logging
import queue
import threading
import time

logging.basicConfig(filename="w.log", level=logging.INFO)
log = logging.getLogger("w")
TASKS = {}


def task(f):
    TASKS[f.__name__] = f
    return f


class Retry(Exception):
    pass


@task
def digest(n, attempt=0):
    if n % 17 == 0 and attempt < 2:
        raise Retry()
    return hashlib.sha256(str(n).encode() * 500).hexdigest()


@task
def report(rows, attempt=0):
    return json.dumps({k: sum(r[k] for r in rows) for k in rows[0]})


Q = queue.Queue(500)
RES = collections.OrderedDict()
L = threading.Lock()
done = 0


def keep(k, v):
    with L:
        RES[k] = v
        while len(RES) > 1000:
            RES.popitem(last=False)


def worker():
    global done
    while True:
        m = Q.get()
        if m is None:
            break
        k, name, args, att = json.loads(m)
        try:
            keep(k, TASKS[name](*args, attempt=att))
        except Retry:
            Q.put(json.dumps([k, name, args, att + 1]))
        except Exception:
            log.exception("bad %s", k)
            keep(k, None)
        with L:
            done += 1
        if done % 500 == 0:
            log.info("done %d", done)
        Q.task_done()


ts = [threading.Thread(target=worker) for _ in range(4)]
for t in ts:
    t.start()
for i in range(30000):
    if i % 3 == 0:
        Q.put(json.dumps([i, "report", [[{"a": i, "b": k} for k in range(10)]], 0]))
    elif i % 1001 == 0:
        Q.put(json.dumps([i, "report", [[]], 0]))
    else:
        Q.put(json.dumps([i, "digest", [i], 0]))
Q.join()
for t in ts:
    Q.put(None)
for t in ts:
    t.join()
print(len(RES))
