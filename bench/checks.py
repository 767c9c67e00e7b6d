"""What the checks cost on a large recording: CPU time in C (opening the snapshots, their columns verified, and all checks), and of the judgement.

    python bench/checks.py [--objects 10_000_000] [--times 3] [--keep FILE]
    python bench/checks.py FILE.memsure

Without a file it records one: instances, slots, dicts, lists, tuples, texts, and two containers that grow to the end. Dominators are made by
the child when the snapshot is taken (bench/snapshot.py), and are not in these figures, which are the least of all times.
"""
import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = '''
import gc, sys, time

class Row:
    def __init__(self, i):
        self.name = "row %d" % i
        self.number = i + 1.5

class Slot:
    __slots__ = ("a", "b")
    def __init__(self, i):
        self.a, self.b = i + 10**7, None

PARTS = {}

def build(unit):
    PARTS["pairs"] = [["text %d" % i, i + 10**6] for i in range(5 * unit)]
    PARTS["rows"] = [Row(i) for i in range(3 * unit)]
    PARTS["slots"] = [Slot(i) for i in range(unit)]
    PARTS["dicts"] = [{"a": i + 10**7, "b": "b%d" % i, "c": None} for i in range(unit // 2)]
    PARTS["numbers"] = [i + 10**6 for i in range(unit)]
    PARTS["tuples"] = [(i + 10**8, str(i)) for i in range(unit // 2)]

def get(key):
    CACHE[key] = ["value %d" % key, key + 0.5]

def seen(key):
    SEEN.append("seen %d" % key)

gc.disable()
unit = int(sys.argv[1]) // 34
build(unit)
CACHE, SEEN = {}, []
for part in range(40):
    for key in range(part * unit // 20, (part + 1) * unit // 20):
        get(key)
        seen(key)
    time.sleep(0.08)
'''


def measure(path):
    """-> (seconds of CPU in C, in the whole judgement, page faults, findings)."""
    from memsure import _core, recording, verdict
    from memsure.source import Sources

    r = recording.load(path)
    p = r.first
    spent, checks = [0.0], _core.checks

    def timed(*args):
        start = time.process_time()
        try:
            return checks(*args)
        finally:
            spent[0] = time.process_time() - start

    _core.checks = timed
    start, faults = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    try:
        j = verdict.judge(r, Sources(p.info.get("cwd", ""), p.words("argv"), p.number("start_unix_ns")))
    finally:
        _core.checks = checks
    return spent[0], time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults, j


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file", nargs="?")
    p.add_argument("--objects", type=int, default=10_000_000)
    p.add_argument("--times", type=int, default=3)
    p.add_argument("--keep", help="the recording's name, if it is to stay")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = a.file or a.keep or f"{folder}/run.memsure"
        if not a.file:
            program = Path(folder, "heap.py")
            program.write_text(PROGRAM)
            subprocess.run([sys.executable, "-m", "memsure", "run", "-q", "-o", path, str(program), str(a.objects)], check=True)
        rows = [measure(path) for _ in range(a.times)]
    for f in rows[0][3].findings:
        print(f"{f.rule:4} {f.bytes:14,} {f.saves or 0:14,}")
    print(f"checks {min(r[0] for r in rows):.2f} s of CPU, with the source {min(r[1] for r in rows):.2f} s; {min(r[2] for r in rows):,} page faults")


if __name__ == "__main__":
    main()
