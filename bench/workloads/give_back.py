"""Memory after a peak: many small objects are made, most are dropped; what stays resident?

    at_random   5 M objects, 99.9 % dropped in random order: survivors sit in nearly every arena
    in_runs     2 M objects, 90 % dropped in runs: of each 5,000 the first 500 stay
    all         2 M objects, all dropped

    python bench/workloads/give_back.py NAME [COUNT]

An object is a slotted instance (48 bytes) with a float of its own (24). Resident memory is read
before, when all live, at once after the drop, and again after three seconds in which the program
idles and allocates a little: a delay in giving back is fine.
"""
import gc
import random
import sys
import time

import timing

COUNTS = {"at_random": 5_000_000, "in_runs": 2_000_000, "all": 2_000_000}


class Item:
    __slots__ = ("value", "name")

    def __init__(self, value):
        self.value = value


def survivors(name, items):
    """Drop most of items, which is emptied; return those that stay."""
    if name == "all":
        items.clear()
        return []
    if name == "in_runs":
        kept = [item for i, item in enumerate(items) if i % 5_000 < 500]
    else:
        chance = random.Random(3)
        chance.shuffle(items)
        kept = items[:len(items) // 1_000]
        del items[len(kept):]     # frees from the end, in random order
    items.clear()
    return kept


def main(name, count):
    figures = {"blocks": 2 * count}
    gc.collect()
    figures["rss_start"] = timing.memory()[0]
    cpu_start, wall_start = time.process_time(), time.perf_counter()
    items = [Item(i * 0.5) for i in range(count)]
    figures["rss_full"] = timing.memory()[0]
    kept = survivors(name, items)
    figures["cpu"] = [time.process_time() - cpu_start]
    figures["wall"] = [time.perf_counter() - wall_start]
    figures["rss_at_once"] = timing.memory()[0]
    for _ in range(30):
        time.sleep(0.1)
        [Item(float(i)) for i in range(1_000)]
    figures["rss_after"], figures["peak_rss"] = timing.memory()
    figures["rss"] = figures["rss_after"]
    figures["result"] = repr((len(kept), sum(item.value for item in kept)))
    timing.finish(figures)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else COUNTS[sys.argv[1]])
