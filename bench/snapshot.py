"""What a snapshot costs: the program's pause, the child's time and memory, the file.

    python bench/snapshot.py [--objects 10000000] [--shuffled] [--working] [--times 5] [--out FILE]

The heap: lists of strings, tuples of (int, str), instances with attributes, dicts; 1.25 references an object, each part held by one
list. --shuffled: the strings that lists hold lie at random addresses. Each figure is the least of all times, with the highest beside it:
the machine may be busy. CPU times are of the child alone, both its threads. Run it also under `memsure run --snapshot=none`, where the
heap is ours and in huge pages.

--working: meanwhile the program goes over 7.5 of 10 of its objects, again and again, and so writes to nearly all of its pages (the
refcounts). What that takes more while the child lives is the price of copy-on-write, and of the processor's memory that both use.
"""
import argparse
import gc
import os
import random
import resource
import tempfile
import threading
import time

from memsure import _core


class Instance:
    def __init__(self, i):
        self.name = "instance %d" % i
        self.number = i + 1.5


def build(n, shuffled):
    """About n objects: per unit of 20 objects 5 lists of one string and an int, 2 instances with 2 attributes, 1 dict of 3."""
    unit = n // 20
    texts = ["text number %d" % i for i in range(5 * unit)]
    numbers = [i + 10**6 for i in range(5 * unit)]
    if shuffled:
        random.seed(1)
        random.shuffle(texts)
        random.shuffle(numbers)
    parts = {
        "pairs": [[t, k] for t, k in zip(texts, numbers)],
    }
    del texts, numbers
    parts["instances"] = [Instance(i) for i in range(unit)]
    parts["dicts"] = [{"a": i + 10**7, "b": "b%d" % i} for i in range(unit // 2)]
    return parts


def go_over(pairs):
    """Each list, its string and its int. Returns CPU time and page faults."""
    t, faults = time.thread_time(), resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for text, number in pairs:
        pass
    return time.thread_time() - t, resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - faults


def working(pairs, out):
    """(the child's figures, a pass before, [passes that began while the child lived])"""
    before = min(go_over(pairs) for _ in range(3))
    figures, passes = [], []
    taker = threading.Thread(target=lambda: figures.append(_core.snapshot(out)))
    taker.start()
    while taker.is_alive():
        passes.append(go_over(pairs))
    taker.join()
    return figures[0], before, passes


def show_working(rows):
    print(f"a pass over the lists, alone: {min(b[0] for _, b, _ in rows) * 1e3:.1f} ms of CPU time")
    for figures, before, passes in rows:
        more = sum(t - before[0] for t, _ in passes)
        faults = sum(n for _, n in passes)
        print(f"  child lived {figures['child_ns'] / 1e6:.0f} ms, pages let go after {figures['let_go_ns'] / 1e6:.0f}: {len(passes)} passes, the first "
              f"{', '.join(f'{t * 1e3:.1f}' for t, _ in passes[:4])} ms; {more * 1e3:.1f} ms more in all, {faults:,} page faults")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--objects", type=int, default=10_000_000)
    p.add_argument("--times", type=int, default=5)
    p.add_argument("--shuffled", action="store_true")
    p.add_argument("--working", action="store_true")
    p.add_argument("--out", default=os.path.join(tempfile.gettempdir(), f"bench-{os.getpid()}.memsure"))
    a = p.parse_args()
    gc.disable()
    keep = build(a.objects, a.shuffled)
    gc.enable()
    gc.collect()
    if a.working:
        show_working([working(keep["pairs"], a.out) for _ in range(a.times)])
        os.unlink(a.out)
        return
    rows = []
    for _ in range(a.times):
        t = time.perf_counter()
        rows.append(_core.snapshot(a.out))
        rows[-1]["wall_ns"] = int((time.perf_counter() - t) * 1e9)
    size = os.path.getsize(a.out)
    os.unlink(a.out)
    with open("/proc/self/statm") as f:
        rss = int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    nodes, edges = rows[0]["nodes"], rows[0]["edges"]
    print(f"{nodes:,} nodes, {edges:,} edges, RSS {rss / 2**20:,.0f} MiB, {'shuffled' if a.shuffled else 'in order of allocation'}")
    for name in ("pause_ns", "graph_ns", "graph_cpu_ns", "let_go_ns", "let_go_cpu_ns", "analysis_ns", "analysis_cpu_ns", "child_ns", "child_cpu_ns", "wall_ns"):
        values = sorted(r[name] / 1e6 for r in rows)
        more = f"   {values[0] / (rss / 2**30):.1f} ms per GiB" if name == "pause_ns" else ""
        print(f"{name[:-3]:14} {values[0]:9.1f} ms   to {values[-1]:9.1f}{more}")
    print(f"child memory   {max(r['child_bytes'] for r in rows) / nodes:9.1f} bytes an object")
    print(f"file           {size / nodes:9.1f} bytes an object")
    return keep


if __name__ == "__main__":
    main()
