"""What creating and dropping a small object costs: plain classes, @memsure.pooled, and what else there is.

    venv/bin/pip install . -r bench/requirements-pools.txt
    venv/bin/python bench/pools.py -o pools-313.json          once for each interpreter
    python bench/pools.py --show pools-*.json

All variants run in one process, interleaved: a round runs each of them once, for a moment, in an order that changes
from round to round; the least over all rounds is shown, less the least of the empty loop. Many short rounds, since
the machine may have something else to do: what disturbs one round does not disturb all. `again` is the plain slots class a
second time: what differs from it there is noise. The floor is a call of a class in C that returns None (bench/floor.c): what the
interpreter takes to get there and back, which no such class can avoid.

  one      create an object of two fields and drop it
  batch    20,000 alive at once, in a list, then dropped with it
  kept     the same, and 200,000 containers of the program's live beside them (which collections look at)
  bytes    of an object, as allocated (tracemalloc)
"""

import argparse
import dataclasses
import gc
import json
import platform
import random
import subprocess
import sys
import sysconfig
import tempfile
import time
import tracemalloc
from collections import namedtuple
from pathlib import Path

LOOP = """
def one(n, C=C):
    for _ in range(n):
        C(1, 2)

def batch(n, C=C):
    keep = [C(1, 2) for _ in range(n)]
"""


class Slots:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


class Dict:
    def __init__(self, x, y):
        self.x = x
        self.y = y


def dataclass(**options):
    return dataclasses.make_dataclass("Data", [("x", object), ("y", object)], slots=True, **options)


def variants():
    """{name: class}; those that are not installed are left out, and said so."""
    import memsure

    out = {
        "slots": Slots,
        "slots, again": type("Again", (), {"__slots__": ("x", "y"), "__init__": Slots.__init__}),
        "slots, pooled": memsure.pooled(type("Pooled", (), {"__slots__": ("x", "y"), "__init__": Slots.__init__})),
        "dataclass(slots)": dataclass(),
        "dataclass(slots), pooled": memsure.pooled(dataclass()),
        "dataclass(slots, frozen)": dataclass(frozen=True),
        "dataclass(slots, frozen), pooled": memsure.pooled(dataclass(frozen=True)),
        "class with a dict": Dict,
        "namedtuple": namedtuple("Named", "x y"),
        "tuple": "(a, 2)",
        "object()": "object()",
    }
    missing = []
    if nothing := floor():
        out = {"floor: a call in C": nothing, **out}
    else:
        missing.append("a C compiler")
    try:
        import attrs
        out["attrs"] = attrs.make_class("Attrs", ["x", "y"], slots=True)
        out["attrs, pooled"] = memsure.pooled(attrs.make_class("Attrs", ["x", "y"], slots=True, weakref_slot=False))
        out["attrs.frozen"] = attrs.make_class("Attrs", ["x", "y"], slots=True, frozen=True)
    except ImportError:
        missing.append("attrs")
    try:
        import msgspec
        out["msgspec.Struct"] = msgspec.defstruct("Struct", ["x", "y"])
        out["msgspec.Struct(gc=False)"] = msgspec.defstruct("Struct", ["x", "y"], gc=False)
    except ImportError:
        missing.append("msgspec")
    try:
        from recordclass import make_dataclass as make_record
        out["recordclass.dataobject"] = make_record("Record", ["x", "y"])
    except ImportError:
        missing.append("recordclass")
    return out, missing


def floor():
    """A class whose call does nothing; None where nothing can compile it."""
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / f"floor{sysconfig.get_config_var('EXT_SUFFIX')}"
        command = ["cc", "-O2", "-shared", "-fPIC", f"-I{sysconfig.get_path('include')}", str(Path(__file__).with_name("floor.c")), "-o", str(built)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        sys.path.insert(0, folder)
        try:
            import floor
        finally:
            sys.path.remove(folder)
        return floor.Nothing


def functions(cls):
    space = {"C": cls}
    exec(LOOP.replace("C(1, 2)", cls).replace("C=C", "a=1") if isinstance(cls, str) else LOOP, space)
    return space["one"], space["batch"]


def empty(n):
    for _ in range(n):
        pass


def empty_batch(n):
    keep = [None for _ in range(n)]


def timed(f, n):
    start = time.perf_counter()
    f(n)
    return (time.perf_counter() - start) / n * 1e9


def bytes_each(cls, n=10_000):
    from memsure import _pool

    if isinstance(cls, str) or cls(1, 2) is None:
        return None
    keep = [cls(1, 2)]
    _pool.sweep(True)
    gc.collect()
    gc.disable()
    keep = [None] * n
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for i in range(n):
        keep[i] = cls(1, 2)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    gc.enable()
    return round((after - before) / n, 1)


def fastalloc(rounds):
    """Its pool hands out instances made before; an object is taken and given back in a with block."""
    try:
        from fastalloc import Pool
    except ImportError:
        return None
    class Reused(Slots):
        __slots__ = ("__weakref__",)

        def __init__(self):
            super().__init__(1, 2)

    pool = Pool(Reused, capacity=100)

    def loop(n):
        for _ in range(n):
            with pool.allocate():
                pass
    return min(timed(loop, 500) for _ in range(rounds))


def measure(rounds):
    classes, missing = variants()
    loops = {name: functions(cls) for name, cls in classes.items()}
    loops["(loop)"] = empty, empty_batch
    best = {kind: {name: float("inf") for name in loops} for kind in ("one", "batch", "kept")}
    names, r = list(loops), random.Random(1)
    for kind, count, at, ballast in (("one", 4000, 0, 0), ("batch", 20_000, 1, 0), ("kept", 20_000, 1, 200_000)):
        held = [[i] for i in range(ballast)]
        gc.collect()
        for _ in range(rounds if at == 0 else max(rounds // 5, 8)):
            r.shuffle(names)
            for name in names:
                best[kind][name] = min(best[kind][name], timed(loops[name][at], count))
        del held
    out = {"python": platform.python_version(), "rounds": rounds, "missing": missing, "rows": {}}
    for name in loops:
        if name != "(loop)":
            out["rows"][name] = {kind: round(best[kind][name] - best[kind]["(loop)"], 1) for kind in best}
            out["rows"][name]["bytes"] = bytes_each(classes[name])
    out["loop"] = {kind: round(best[kind]["(loop)"], 1) for kind in best}
    if (ns := fastalloc(max(rounds // 10, 5))) is not None:
        out["rows"]["fastalloc, with block"] = {"one": round(ns, 1), "batch": None, "kept": None, "bytes": None}
    return out


def show(results):
    for result in results:
        slots = result["rows"]["slots"]
        print(f"### Python {result['python']}\n\nns an object, less the loop ({result['loop']['one']}); in brackets: times as fast as plain slots\n")
        print("| | one | batch | kept | bytes |\n| --- | --- | --- | --- | --- |")
        for name, row in result["rows"].items():
            cells = [f"{row[k]:.0f} ({slots[k] / row[k]:.1f})" if row[k] else "" for k in ("one", "batch", "kept")]
            print(f"| {name} | {' | '.join(cells)} | {row['bytes'] if row['bytes'] is not None else ''} |")
        frozen = result["rows"]["dataclass(slots, frozen)"], result["rows"]["dataclass(slots, frozen), pooled"]
        print(f"\nfrozen dataclass, plain to pooled: {', '.join(f'{k} {frozen[0][k] / frozen[1][k]:.1f}' for k in ('one', 'batch', 'kept'))} times")
        if struct := result["rows"].get("msgspec.Struct"):
            pooled = result["rows"]["slots, pooled"]
            print(f"slots, pooled, against msgspec.Struct: {', '.join(f'{k} {struct[k] / pooled[k]:.1f}' for k in ('one', 'batch', 'kept'))} times")
        if result["missing"]:
            print(f"not installed: {', '.join(result['missing'])}")
        print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("-o", "--output", help="write the figures to this file, too")
    parser.add_argument("--show", nargs="+", help="print files written before, and measure nothing")
    args = parser.parse_args()
    if args.show:
        return show([json.load(open(path)) for path in args.show])
    result = measure(args.rounds)
    if args.output:
        with open(args.output, "w") as f:
            json.dump(result, f, indent=1)
    show([result])


if __name__ == "__main__":
    sys.exit(main())
