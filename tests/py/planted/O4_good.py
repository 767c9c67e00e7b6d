"""The model is frozen before the fork: no collection looks at it."""
import gc
import os
import time

MODEL = {str(i): [i] for i in range(200_000)}


def work():
    gc.collect()
    time.sleep(1.5)
    os._exit(0)


def serve(workers):
    gc.collect()
    gc.freeze()
    pids = []
    for _ in range(workers):
        pid = os.fork()
        if pid == 0:
            work()
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)


serve(3)
print(len(MODEL))
