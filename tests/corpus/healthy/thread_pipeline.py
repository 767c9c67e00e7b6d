"""Threads, a bounded queue, logging: a pipeline of the standard library."""
import hashlib
import logging
import os
import queue
import threading

log = logging.getLogger("pipeline")
log.addHandler(logging.StreamHandler(open(os.devnull, "w")))
todo, done = queue.Queue(maxsize=100), queue.Queue(maxsize=100)


def work():
    while (item := todo.get()) is not None:
        number, data = item
        log.warning("item %d of %d bytes", number, len(data))
        done.put((number, hashlib.sha256(data).hexdigest()))
    done.put(None)


def feed():
    for n in range(40_000):
        todo.put((n, bytes(f"{n}" * 200, "ascii")))
    for _ in threads:
        todo.put(None)


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
threading.Thread(target=feed).start()
ended, check = 0, 0
while ended < len(threads):
    item = done.get()
    if item is None:
        ended += 1
    else:
        check ^= int(item[1][:8], 16)
print(check)
