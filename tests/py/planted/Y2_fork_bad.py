"""Before each fork all is frozen, and thawed afterwards: the counters begin anew, and a full collection never comes."""
import gc
import os
import time


class Node:
    def __init__(self, number):
        self.me = self
        self.text = f"node {number} " * 20


def serve(rounds):
    young = []
    for n in range(rounds):
        for _ in range(800):
            young.append(Node(n))
        del young[:-500]                                    # they die in their middle age
        gc.collect(1)
        gc.freeze()                                         # culprit
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        gc.unfreeze()
        time.sleep(0.01)
    return rounds


print(serve(90))
