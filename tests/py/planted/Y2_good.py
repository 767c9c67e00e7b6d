"""The collector looks at the young ones more seldom, and at all of them now and then."""
import gc
import time

gc.set_threshold(2000)


class Node:
    def __init__(self, number):
        self.me = self
        self.text = f"node {number} " * 20


def serve(seconds):
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for _ in range(20):
            Node(n)
            n += 1
        time.sleep(0.001)
    return n


print(serve(2.2) > 0)
