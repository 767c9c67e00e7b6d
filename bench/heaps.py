"""The same heap asked by memsure and by its peers: counts by type, what one part holds, who refers to an object, cycles.

    venv/bin/pip install . -r bench/requirements-heaps.txt
    venv/bin/python bench/heaps.py [--objects 1000000] [--rounds 3] [--peers memsure,guppy3] [--limit 600] -o FILE
    python bench/heaps.py --show FILE

The heap is bench/snapshot.py's: lists of strings, instances, dicts; and 1,000 pairs that hold each other. Each question is asked in a
process of its own, one after the other, all of them again in each round; the least over the rounds is shown. Each peer is asked
the closest question that it has; `what` says which call. Reading the columns:

  time    seconds of the question, wall; cpu: CPU time of the process and its children
  pause   the longest time for which another thread of the program, which wants to run each millisecond, could not
  memory  MiB that the program and its children had more than before, at the highest
  kept    MiB that the program still has more afterwards: what asking left behind in it

memsure's snapshot is taken once and asked afterwards by other processes: its questions are `memsure ... FILE`, start of
Python included, and the program pays for the snapshot only.
"""
import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


PARTS = {}  # the heap


class Pair:
    def __init__(self, other=None):
        self.other = other


def pairs(n):
    out = []
    for _ in range(n):
        a = Pair()
        a.other = Pair(a)
        out.append(a)
    return out


# --- the questions: peer, question, what is called --------------------------------------------------------------

def memsure_snapshot(parts, path):
    from memsure import _core
    t = time.perf_counter()
    figures = _core.snapshot(path)
    return {"time": time.perf_counter() - t, "memory": figures["child_bytes"] / 2**20, "pause": figures["pause_ns"] / 1e9,
            "note": f"{figures['nodes']:,} objects"}


def guppy_types(parts, path):
    from guppy import hpy
    h = hpy().heap()
    return {"note": f"{h.count:,} objects: {h.bytype[0].kind}"}


def guppy_holds(parts, path):
    from guppy import hpy
    h = hpy()
    return {"note": f"{h.iso(parts['instances']).domisize:,} bytes"}


def guppy_who(parts, path):
    from guppy import hpy
    h = hpy()
    return {"note": str(h.iso(parts["circles"][500]).sp)[:60]}


def objgraph_types(parts, path):
    import objgraph
    top = objgraph.most_common_types(limit=3)
    return {"note": ", ".join(f"{n} {k:,}" for n, k in top)}


def objgraph_who(parts, path):
    import objgraph
    chain = objgraph.find_backref_chain(parts["circles"][500], objgraph.is_proper_module)
    return {"note": f"chain of {len(chain)}"}


def pympler_types(parts, path):
    from pympler import muppy, summary
    objects = muppy.get_objects()
    rows = summary.summarize(objects)
    return {"note": f"{len(objects):,} objects, {len(rows):,} types"}


def pympler_holds(parts, path):
    from pympler import asizeof
    return {"note": f"{asizeof.asizeof(parts['instances']):,} bytes (deep, not retained)"}


def refcycle_who(parts, path):
    import refcycle
    graph = refcycle.snapshot()
    return {"note": f"{len(graph.parents(parts['pairs'][500]))} referrers"}


def refcycle_cycles(parts, path):
    import refcycle
    components = [c for c in refcycle.snapshot().strongly_connected_components() if len(c) > 1]
    return {"note": f"{len(components):,} components"}


def midden_dump(parts, path):
    from midden.dump.dump_heap import dump_heap
    dump_heap(path)
    with open(path, "rb") as f:
        n = sum(chunk.count(b"\n") for chunk in iter(lambda: f.read(1 << 20), b""))
    return {"note": f"{n:,} records, {os.path.getsize(path) / 2**20:.0f} MiB"}


ASK = {  # of a file, by a process of its own
    ("memsure", "types"): ["snapshot", "FILE", "--by", "type"],
    ("memsure", "holds"): ["snapshot", "FILE", "--by", "holder"],
    ("memsure", "who"): ["why", "FILE", "heaps.Pair"],
    ("memsure", "cycles"): ["snapshot", "FILE", "--by", "cycle"],
}
IN_PROCESS = {
    ("memsure", "snapshot"): (memsure_snapshot, "_core.snapshot"),
    ("guppy3", "types"): (guppy_types, "hpy().heap()"),
    ("guppy3", "holds"): (guppy_holds, "iso(part).domisize"),
    ("guppy3", "who"): (guppy_who, "iso(x).sp"),
    ("objgraph", "types"): (objgraph_types, "most_common_types"),
    ("objgraph", "who"): (objgraph_who, "find_backref_chain"),
    ("pympler", "types"): (pympler_types, "muppy, summarize"),
    ("pympler", "holds"): (pympler_holds, "asizeof(part)"),
    ("refcycle", "who"): (refcycle_who, "snapshot().parents"),
    ("refcycle", "cycles"): (refcycle_cycles, "strongly_connected_components"),
    ("midden", "types"): (midden_dump, "dump_heap (a file of all)"),
}
ORDER = ["snapshot", "types", "holds", "who", "cycles"]


# --- one measurement ---------------------------------------------------------------------------------------------

def rss(key="VmRSS"):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key + ":")) / 1024


class Ticker(threading.Thread):
    """The longest gap between two turns of a thread that sleeps a millisecond each time."""

    def __init__(self):
        super().__init__(daemon=True)
        self.longest, self.go = 0.0, True

    def run(self):
        last = time.perf_counter()
        while self.go:
            time.sleep(0.001)
            now = time.perf_counter()
            self.longest = max(self.longest, now - last)
            last = now


def cpu():
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def measure(peer, question, objects, path):
    """In the process that has the heap."""
    import snapshot
    gc.disable()
    parts = PARTS
    parts.update(snapshot.build(objects, False))
    parts["circles"] = pairs(1000)
    gc.enable()
    gc.collect()
    ask = IN_PROCESS[peer, question][0]
    for name in {"guppy3": ["guppy", "guppy.heapy.Use"], "pympler": ["pympler.muppy", "pympler.summary", "pympler.asizeof"], "objgraph": ["objgraph"],
                 "refcycle": ["refcycle"], "midden": ["midden.dump.dump_heap"], "memsure": ["memsure._core"]}[peer]:
        __import__(name)  # is not what is measured
    with open("/proc/self/clear_refs", "w") as f:
        f.write("5")
    before, ticker = rss(), Ticker()
    ticker.start()
    time.sleep(0.05)
    ticker.longest, t, used = 0.0, time.perf_counter(), cpu()
    result = ask(parts, path)
    row = {"time": time.perf_counter() - t, "cpu": cpu() - used, "memory": rss("VmHWM") - before}
    ticker.go = False
    ticker.join()
    row["pause"] = ticker.longest
    row.update({k: max(v, row[k]) if k == "memory" else v for k, v in result.items() if k in ("note", "memory", "time")})
    gc.collect()
    row["kept"] = rss() - before
    print(json.dumps(row))


def ask_file(peer, question, path):
    command = [sys.executable, "-m", "memsure"] + [path if word == "FILE" else word for word in ASK[peer, question]]
    before, t = os.times(), time.perf_counter()
    out = subprocess.run(command, capture_output=True, text=True)
    wall, after = time.perf_counter() - t, os.times()
    if out.returncode:
        raise RuntimeError(out.stderr.strip() or out.stdout.strip())
    return {"time": wall, "cpu": after.children_user + after.children_system - before.children_user - before.children_system,
            "note": "memsure " + " ".join(ASK[peer, question])}


def run(a):
    names = a.peers.split(",")
    todo = [(p, q) for q in ORDER for p in names for k in (IN_PROCESS, ASK) if (p, q) in k]
    if "memsure" in names:
        todo.sort(key=lambda pq: pq != ("memsure", "snapshot"))
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for round_number in range(a.rounds):
            for peer, question in todo:
                path = os.path.join(folder, "heap.memsure" if peer == "memsure" else "heap.jsonl")
                try:
                    if (peer, question) in ASK:
                        row = ask_file(peer, question, path)
                    else:
                        out = subprocess.run([sys.executable, __file__, "--measure", f"{peer},{question}", "--objects", str(a.objects), "--out", path],
                                             capture_output=True, text=True, timeout=a.limit)
                        row = json.loads(out.stdout) if out.returncode == 0 else {"note": "! " + (out.stderr.strip().splitlines() or ["failed"])[-1]}
                except subprocess.TimeoutExpired:
                    row = {"note": f"! not done after {a.limit} s"}
                except (RuntimeError, ValueError) as e:
                    row = {"note": f"! {e}"}
                print(round_number, peer, question, row, file=sys.stderr, flush=True)
                rows.setdefault(f"{peer} {question}", []).append(row)
    return {"objects": a.objects, "rounds": a.rounds, "python": sys.version.split()[0], "rows": rows}


def show(data):
    print(f"{data['objects']:,} objects, CPython {data['python']}, least of {data['rounds']} rounds\n")
    print("| question | peer | call | s | CPU s | pause, ms | memory, MiB | kept, MiB | answer |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for question in ORDER:
        for key, rows in data["rows"].items():
            peer, q = key.split()
            if q != question:
                continue
            what = IN_PROCESS[peer, q][1] if (peer, q) in IN_PROCESS else " ".join(["memsure"] + ASK[peer, q])
            good = [r for r in rows if "time" in r]
            if not good:
                print(f"| {q} | {peer} | {what} | | | | | | {rows[0]['note']} |")
                continue
            least = {k: min(r[k] for r in good) for k in good[0] if k != "note"}
            cells = [f"{least[k] * by:.{digits}f}" if k in least else "none" if k == "pause" else ""
                     for k, by, digits in (("time", 1, 2), ("cpu", 1, 2), ("pause", 1000, 0), ("memory", 1, 0), ("kept", 1, 0))]
            note = good[0].get("note", "")
            print(f"| {q} | {peer} | {what} | {' | '.join(cells)} | {'' if note.startswith('memsure') else note} |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--objects", type=int, default=1_000_000)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--peers", default="memsure,guppy3,objgraph,pympler,refcycle,midden")
    p.add_argument("--limit", type=float, default=600, help="seconds for one question")
    p.add_argument("-o", "--out")
    p.add_argument("--show")
    p.add_argument("--measure", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.measure:
        import heaps  # so that classes are heaps.Pair, not __main__.Pair
        return heaps.measure(*a.measure.split(","), a.objects, a.out)
    if a.show:
        with open(a.show) as f:
            return show(json.load(f))
    data = run(a)
    if a.out:
        with open(a.out, "w") as f:
            json.dump(data, f, indent=1)
    show(data)


if __name__ == "__main__":
    main()
