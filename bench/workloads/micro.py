"""The micro set: one habit of Python programs each, 20-200 ms of plain CPython a repetition.

    python bench/workloads/micro.py NAME [REPEATS]

Blocks that are kept die at the end of the repetition, inside the timing: a block costs its
birth and its death. Sizes are fixed and nothing is random, so each run does the same work.
"""
import gc
import json
import threading

from timing import main, prepare, work


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def moved(self, dx, dy):
        return Point(self.x + dx, self.y + dy)

    def norm(self):
        return self.square(self.x) + self.square(self.y)

    def square(self, value):
        return value * value


@work
def objects():
    kept = [Point(i, -i) for i in range(200_000)]
    return len(kept)


@work
def tuples():
    kept = [(i, i + 1, None) for i in range(400_000)]
    return len(kept)


@work
def dicts():
    kept = [{"id": i, "name": "x", "value": i * 2} for i in range(200_000)]
    return len(kept)


@work
def strings():
    kept = ["item-%d" % i for i in range(200_000)]
    kept += [text + "-suffix" for text in kept]
    return len(kept)


@work
def temporaries():
    """Floats, small tuples, short lists and formatted text that die at once."""
    total = 0.0
    for i in range(80_000):
        x = i * 1.5 + 0.25
        y = (x + 1.0) * (x - 1.0)
        pair = (x, y)
        short = [i, pair, x]
        short.append(y)
        text = f"{i}:{x:.2f}"
        total += pair[0] + len(short) + len(text)
    return total


@work
def calls():
    """Methods that call methods: many frames, few blocks."""
    point, total = Point(1.5, 2.5), 0.0
    for i in range(400_000):
        total += point.norm()
    return total


def bottom(count):
    """Allocate a little of each: what the depth-N workloads do when they are down."""
    total = 0
    for i in range(count):
        point = Point(i, float(i))
        pair = (i, point)
        items = [pair, point, i]
        total += len(items) + point.x
    return total


def descend(depth, function, *args):
    if depth == 0:
        return function(*args)
    return descend(depth - 1, function, *args)


@work
def depth10():
    return sum(descend(10, bottom, 2_000) for _ in range(80))


@work
def depth100():
    return sum(descend(100, bottom, 2_000) for _ in range(80))


@work
def depth500():
    return sum(descend(500, bottom, 2_000) for _ in range(80))


def tree(levels, seed):
    """A call tree that allocates in every node."""
    if levels == 0:
        return (seed, [seed])[0]
    left = tree(levels - 1, seed + 1)
    right = tree(levels - 1, [seed, left][0] + 2)
    return left + right


@work
def deepcalls():
    """Calls and blocks alternate 150 frames down: the stack's end changes all the time.

    Why not 100: CPython keeps frames in chunks of 16 KiB, and a call that crosses into a new one
    maps and unmaps it each time. About 118 frames down these calls become ten times slower, or
    102 frames down where a recorder's own frames come first: that would compare luck.
    """
    return sum(descend(150, tree, 7, i) for i in range(1_200))


@work
def fib():
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)
    return fib(28)


@work
def updown():
    """Recursion 100 down and up again, with a block in every frame."""
    def down(n, held):
        if n == 0:
            return held
        mine = [n, held]
        return down(n - 1, (mine, n))
    return len([down(100, None) for _ in range(2_000)])


@prepare
def json_text():
    """json.dumps and json.loads of records."""
    records = [{"id": i, "name": f"user {i}", "tags": ["a", "b", str(i)], "score": i / 7,
                "address": {"street": f"{i} High Street", "zip": str(10_000 + i)}}
               for i in range(1_500)]

    def run():
        size = 0
        for _ in range(8):
            text = json.dumps(records)
            size += len(json.loads(text)) + len(text)
        return size
    return run


class Node:
    def __init__(self, key, parent):
        self.key = key
        self.parent = parent
        self.children = []


@work
def graph():
    """Trees whose nodes know their parents, dropped: the collector has to find them."""
    assert gc.isenabled()
    total = 0
    for start in range(6):
        nodes = [Node(start, None)]
        for i in range(1, 12_000):
            parent = nodes[(i - 1) // 3]
            node = Node(i, parent)
            parent.children.append(node)
            nodes.append(node)
        total += len(nodes)
    return total


@work
def threads():
    """Four threads that allocate, keep and drop at once."""
    totals = [0] * 4

    def run(index):
        kept = []
        for i in range(20_000):
            kept.append((i, [Point(i, index), str(i)]))
            if len(kept) > 1_000:
                totals[index] += len(kept)
                del kept[:500]
    started = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return totals


if __name__ == "__main__":
    main(default_repeats=5)
