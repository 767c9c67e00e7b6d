"""All is frozen once, before the first fork; what dies later is found."""
import gc
import os
import time


class Node:
    def __init__(self, number):
        self.me = self
        self.text = f"node {number} " * 20


def serve(rounds):
    young = []
    gc.collect()
    gc.freeze()
    for n in range(rounds):
        for _ in range(800):
            young.append(Node(n))
        del young[:-500]
        gc.collect(1)
        if n % 9 == 8:
            gc.collect()
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        time.sleep(0.01)
    return rounds


print(serve(90))
