"""The golden file tests/data/v1.memsure: what it holds, and how it was made.

The values follow from the names, so that each reader can compute what to expect. The file is written
once per version of the format and then stays as it is: files of today must be readable for good.

    python tests/py/golden.py tests/data/v1.memsure
"""
import array
import sys

CODES = {"u8": "B", "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f64": "d"}

STRINGS = ["", "format", "1", "memsure", "0.1.0", "app.py", "ünïcode/наш.py", "main", "<module>", "end", "peak",
           "python_live", "slab_holes", "rss", "MainThread", "mode", "line"]

_SITE_COUNTS = """allocated_blocks allocated_bytes freed_blocks freed_bytes live_blocks live_bytes peak_blocks peak_bytes
gc_freed_blocks gc_freed_bytes temporary_blocks temporary_bytes inherited_blocks inherited_bytes""".split()

# table -> (rows, {column: (type, width)})
LAYOUT = {
    "info": (3, {"key": ("u32", 1), "value": ("u32", 1)}),
    "sites": (4, {"file": ("u32", 1), "function": ("u32", 1),
                  **{c: ("i32", 1) for c in ("line", "end_line", "column", "end_column")}, "flags": ("u32", 1),
                  **{c: ("u64", 1) for c in _SITE_COUNTS}, "lifetimes": ("u64", 12)}),
    "nodes": (3, {"parent": ("u32", 1), "site": ("u32", 1), "samples": ("u64", 1),
                  **{c: ("f64", 1) for c in ("allocated_blocks", "allocated_bytes", "variance", "live_blocks",
                                             "live_bytes", "peak_bytes")}}),
    "timeline": (5, {c: ("u64", 1) for c in ("t_ns", "rss_bytes", "python_bytes", "python_blocks", "slab_bytes",
                                             "native_used_bytes", "native_free_bytes")}),
    "curve_points": (5, {"t_ns": ("u64", 1)}),
    "curves": (2, {"site": ("u32", 1), "live_bytes": ("u64", 5), "allocated_bytes": ("u64", 5)}),
    "collections": (0, {"t_ns": ("u64", 1), "generation": ("u32", 1), "duration_ns": ("u64", 1),
                        "collected": ("u64", 1), "uncollectable": ("u64", 1), "reclaimed_bytes": ("i64", 1)}),
    "threads": (1, {"id": ("u64", 1), "name": ("u32", 1), "samples": ("u64", 1), "allocated_bytes": ("f64", 1)}),
    "memory": (2, {"moment": ("u32", 1), "kind": ("u32", 1), "bytes": ("u64", 1)}),
}


def values(table, column, kind, n):
    """n values that differ with the names; some large, in signed columns some negative."""
    seed = sum(map(ord, table + column))
    if kind == "f64":
        return [seed / 7 + i * 1e9 for i in range(n)]
    if kind == "u64":
        return [seed * i << (40 if i % 3 == 2 else 0) for i in range(n)]
    if kind in ("i32", "i64"):
        return [seed * (-1) ** i * i for i in range(n)]
    return [(seed + i) % len(STRINGS) for i in range(n)]


def tables():
    """What the file holds: {table: {column: (type, width, array)}}."""
    data = [s.encode() for s in STRINGS]
    offsets = [sum(map(len, data[:i])) for i in range(len(data) + 1)]
    out = {"strings": {"offsets": ("i64", 1, array.array("q", offsets)),
                       "data": ("u8", 1, array.array("B", b"".join(data)))}}
    for table, (rows, columns) in LAYOUT.items():
        out[table] = {column: (kind, width, array.array(CODES[kind], values(table, column, kind, rows * width)))
                      for column, (kind, width) in columns.items()}
    return out


if __name__ == "__main__":
    from memsure import _core
    _core.write(sys.argv[1], tables())
