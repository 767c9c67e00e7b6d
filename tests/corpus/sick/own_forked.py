"""Forked workers that read a large table."""
import gc
import os
import time

MODEL = {n: [n, str(n)] for n in range(300_000)}


def serve(number):
    total = 0
    for step in range(4):
        total += sum(len(MODEL[k][1]) for k in range(number, 3_000, 7))
        gc.collect()
        time.sleep(0.05)
    return total


children = []
for number in range(4):
    child = os.fork()
    if not child:
        serve(number)
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
print("done")
