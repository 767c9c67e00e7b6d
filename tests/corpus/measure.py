"""What a program's memory does, measured without memsure: python measure.py PROGRAM [ARGUMENT...]

Runs PROGRAM as __main__ and prints one line of JSON to stderr when it has ended: RSS, the interpreter's live blocks and
its gc-tracked objects, each at a third and at the end of the run and as a slope over the last two thirds; and how many
objects the collector had to free. tools/accuracy.py --measure compares these between the sick and the clean release, so
that no expectation of the corpus rests on memsure itself.
"""

import atexit
import gc
import json
import os
import sys
import threading
import time
import types

PAGE = 4096
points, collected, began = [], [0], time.monotonic()


def sample():
    with open("/proc/self/statm") as f:
        rss = int(f.read().split()[1]) * PAGE
    points.append((time.monotonic() - began, rss, sys.getallocatedblocks()))


def watch():
    while True:
        sample()
        time.sleep(0.05)


def note(phase, info):
    if phase == "stop":
        collected[0] += info["collected"]


def slope(column):
    """Least squares over the last two thirds of the run."""
    late = [p for p in points if p[0] >= points[-1][0] / 3]
    n = len(late)
    mt, mv = sum(p[0] for p in late) / n, sum(p[column] for p in late) / n
    below = sum((p[0] - mt) ** 2 for p in late)
    return sum((p[0] - mt) * (p[column] - mv) for p in late) / below if below else 0.0


def tell():
    sample()
    gc.callbacks.remove(note)
    third = next(p for p in points if p[0] >= points[-1][0] / 3)
    garbage = gc.collect()
    # A second look after the collection: what only waited for it has gone.
    sample()
    print(json.dumps({
        "seconds": round(points[-2][0], 2), "rss_mib": round(points[-2][1] / 2**20, 1),
        "peak_mib": round(max(p[1] for p in points) / 2**20, 1), "rss_growth_mib": round((points[-2][1] - third[1]) / 2**20, 2),
        "blocks_growth": points[-1][2] - third[2], "rss_mib_per_s": round(slope(1) / 2**20, 3),
        "collected": collected[0], "waiting": garbage}), file=sys.stderr)


if __name__ == "__main__":
    program, sys.argv = sys.argv[1], sys.argv[1:]
    gc.callbacks.append(note)
    threading.Thread(target=watch, daemon=True).start()
    atexit.register(tell)
    # In a module that lives on until the interpreter ends: what a program's globals hold counts, as it does when it runs by itself.
    main = types.ModuleType("__main__")
    main.__file__, sys.path[0] = program, os.path.dirname(program)
    sys.modules["__measure__"], sys.modules["__main__"] = sys.modules["__main__"], main
    with open(program, "rb") as source:
        code = compile(source.read(), program, "exec")
    exec(code, main.__dict__)
