"""Shares pictures with workers."""
import multiprocessing
from multiprocessing import shared_memory

import numpy as np


def total(name, size):
    block = shared_memory.SharedMemory(name, track=False)
    found = int(np.frombuffer(block.buf, np.uint8, size).sum())
    block.close()
    return found


def share(pool, number):
    block = shared_memory.SharedMemory(create=True, size=2_000_000, track=False)
    block.buf[:] = bytes([number % 250]) * len(block.buf)
    found = pool.apply(total, (block.name, 1_000))
    block.close()
    block.unlink()
    return found


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(sum(share(pool, number) for number in range(12)))
