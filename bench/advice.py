"""Does the advice keep its word? The programs of tests/py/test_gains.py are run under memsure, what P2 and P3 say is done to them, and both are timed.

    venv/bin/pip install . pytest
    venv/bin/python bench/advice.py [--rounds 15]

For each program: how many times as fast making and dropping was said to become (`expected.factor`), how many times it did, and what the
whole program gained. Measured: CPU time of the program's loop less that of the same loop with the object made once before it, plain and
patched interleaved, the least of all rounds. Markdown comes out.
"""

import argparse
import importlib.util
import json
import platform
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STEPS = 200_000
LOOP = """
def walk(steps):
    total = 0
    for i in range(steps):
        point = Point(i, {more})
        total += point.x + point.y
    return total

def base(steps):
    total = 0
    point = Point(steps, {more})
    for i in range(steps):
        total += point.x + point.y
    return total
"""
BUFFER = """
import io
SOURCE = io.BytesIO(bytes({size}))

def walk(steps):
    total = 0
    for i in range(steps):
        buf = bytearray({size})
        SOURCE.seek(0)
        n = SOURCE.readinto(buf)
        total += buf[n - 1] + n
    return total

def base(steps):
    total = 0
    buf = bytearray({size})
    n = {size}
    for i in range(steps):
        total += buf[n - 1] + n
    return total
"""


def programs():
    sys.path.insert(0, str(ROOT / "tests" / "py"))
    spec = importlib.util.spec_from_file_location("test_gains", ROOT / "tests" / "py" / "test_gains.py")
    tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tests)
    out = {}
    for name, head in tests.PROGRAMS.items():
        text = textwrap.dedent(head).lstrip("\n") + LOOP.format(more="y=2" if name == "dataclass" else "2")
        out[name] = text, 1_100_000, "P3"
    for size in (1 << 14, 1 << 16, 1 << 18, 1 << 20, 8 << 20):
        out[f"bytearray of {size >> 10} KiB"] = BUFFER.format(size=size).lstrip("\n"), max((600 << 20) // size, 150), "P2"
    return out, tests.patched


def advice(text, steps, rule):
    """The finding of a program that runs so many steps, or None."""
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder) / "app.py"
        app.write_text(text + f"\nwalk({steps})\n")
        done = subprocess.run([sys.executable, "-m", "memsure", "check", "--format", "json", "--", sys.executable, str(app)], capture_output=True, text=True)
        found = json.loads(done.stdout)["findings"] if done.returncode in (0, 1) else []
        return next((f for f in found if f["rule"] == rule), None)


def space_of(text):
    space = {"__name__": "__main__"}
    exec(compile(text, "app.py", "exec"), space)
    return space


def timed(f, n):
    start = time.process_time_ns()
    f(n)
    return (time.process_time_ns() - start) / n


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    todo, patched = programs()
    print(f"### Python {platform.python_version()}\n")
    print("| program | said: ns, times | measured: ns, times | a step of the program | bytes each |\n| --- | --- | --- | --- | --- |")
    for name, (text, steps, rule) in todo.items():
        f = advice(text, steps, rule)
        if f is None or not f["expected"]:
            print(f"| {name} | no advice | | | |")
            continue
        if not f["patch"]:
            print(f"| {name} | no patch | | | |")
            continue
        before, after = space_of(text), space_of(patched(text, f["patch"]))
        assert before["walk"](1000) == after["walk"](1000)
        n = min(steps, STEPS) // (1 if rule == "P2" else 10)
        loops = [(s["walk"], s.get("base")) for s in (before, after)]
        best = [[float("inf")] * 2 for _ in loops]
        for _ in range(args.rounds):
            for row, functions in zip(best, loops):
                for i, g in enumerate(functions):
                    if g is not None:
                        row[i] = min(row[i], timed(g, n))
        whole = [row[0] for row in best]
        own = [row[0] - (row[1] if row[1] != float("inf") else 0) for row in best]
        e = f["expected"]
        print(f"| {name} | {e['ns_before']:.0f} -> {e['ns_after']:.0f}, {e['factor']:.1f} | {own[0]:.0f} -> {own[1]:.0f}, {own[0] / max(own[1], 1):.1f} "
              f"| {whole[0]:.0f} -> {whole[1]:.0f} ns, {whole[0] / whole[1]:.2f} times | {e['bytes_before']} -> {e['bytes_after']} |")


if __name__ == "__main__":
    main()
