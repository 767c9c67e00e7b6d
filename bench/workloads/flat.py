"""The flat set: does an allocation cost the same however large the heap and deep the stack?

    live_N    one operation drops an object() among N live ones, at a random place, and puts a
              new one there: no type free list, nothing for the collector, one birth, one death
    depth_N   one operation makes and drops an object(), N frames down
    leaf_N    the same in a function called for it: a call, a birth, a death, a return

    python bench/workloads/flat.py NAME [REPEATS]

compare.py prints nanoseconds an operation (the loop included: compare with plain's), and for
live_N how many bytes of resident memory a block costs more than in plain Python.
"""
import gc
import random
import sys

import timing

LIVE = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000, "10m": 10_000_000,
        "50m": 50_000_000}
DEPTHS = (1, 5, 20, 50, 100, 200, 500)
OPERATIONS = 400_000


def live(count):
    gc.disable()
    blocks = [object() for _ in range(count)]
    chance = random.Random(count)
    places = [chance.randrange(count) for _ in range(OPERATIONS)]
    timing.EXTRA.update(operations=OPERATIONS, live=count)

    def run():
        for place in places:
            blocks[place] = object()
        return len(blocks)
    return run


def descend(depth, function):
    return function() if depth <= 1 else descend(depth - 1, function)


def depth(frames):
    sys.setrecursionlimit(5_000)
    timing.EXTRA.update(operations=OPERATIONS)

    def bottom():
        for _ in range(OPERATIONS):
            object()
    return lambda: descend(frames, bottom)


def leaf(frames):
    sys.setrecursionlimit(5_000)
    timing.EXTRA.update(operations=OPERATIONS)

    def one():
        object()

    def bottom():
        for _ in range(OPERATIONS):
            one()
    return lambda: descend(frames, bottom)


for _name, _count in LIVE.items():
    timing.WORKLOADS["live_" + _name] = lambda count=_count: live(count)
for _frames in DEPTHS:
    timing.WORKLOADS[f"depth_{_frames}"] = lambda frames=_frames: depth(frames)
    timing.WORKLOADS[f"leaf_{_frames}"] = lambda frames=_frames: leaf(frames)


if __name__ == "__main__":
    timing.main(default_repeats=5)
