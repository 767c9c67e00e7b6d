"""Recordings that no program made: plausible figures that add up, written through `_core.write`.

`Build` collects sites, curves, stacks and samples, and works out the totals from them; `growing`, `churn`, `cyclic`, `healthy`, `native`,
`allocator`, `unrecorded` and `large` are whole runs with their source files. Noise comes from a fixed recurrence, so that each run of the tests sees the same bytes.
"""

import json
import os
from array import array

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
CODES = {"u8": "B", "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f64": "d"}

SITE_U64 = ("allocated_blocks", "allocated_bytes", "freed_blocks", "freed_bytes", "live_blocks", "live_bytes", "peak_blocks",
            "peak_bytes", "gc_freed_blocks", "gc_freed_bytes", "temporary_blocks", "temporary_bytes", "inherited_blocks",
            "inherited_bytes")


def noise(n, seed=1):
    """n numbers in -1 .. 1 (a linear congruential generator)."""
    out = []
    for _ in range(n):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        out.append((seed >> 33) / (1 << 30) - 1)
    return out


class Build:
    """One process's recording in the making."""

    def __init__(self, cwd="/srv/app", argv=("python", "app.py"), command="app.py", seconds=40.0, **info):
        self.strings = {"": 0}
        self.sites = []
        self.curves = []            # (site, live, allocated)
        self.points = []
        self.nodes = [(0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)]
        self.timeline = []
        self.collections = []
        self.memory = []
        self.threads = []
        self.seconds = seconds
        self.info = dict(format="1", memsure="0.1.0", argv=json.dumps(list(argv)), executable="/usr/bin/python3.13", python="3.13.0",
                         cwd=cwd, pid=4121, ppid=4100, command=command, start_unix_ns=START, duration_ns=int(seconds * SECOND),
                         cpu_ns=int(seconds * SECOND * 0.9), exit_kind="exit", exit_code=0, mode="line", sample_bytes=524288,
                         epoch_ns=10_000_000, overhead_ns=int(seconds * SECOND * 0.9 * 0.004), unrecorded_blocks=0,
                         before_blocks=0, undercounted="[]", started="preload", complete="1")
        self.info.update(info)

    def text(self, s):
        return self.strings.setdefault(s, len(self.strings))

    def site(self, file, function, line, column=-1, end_column=-1, flags=0, end_line=None, **metrics):
        """A site; what is not given follows: freed = allocated - live, peak = live."""
        m = dict.fromkeys(SITE_U64, 0)
        m.update(metrics)
        for kind in ("blocks", "bytes"):
            m.setdefault(f"peak_{kind}", 0)
            if f"peak_{kind}" not in metrics:
                m[f"peak_{kind}"] = m[f"live_{kind}"]
            if f"freed_{kind}" not in metrics:
                m[f"freed_{kind}"] = m[f"allocated_{kind}"] - m[f"live_{kind}"]
        lives = [0] * 12
        lives[0] = m["temporary_blocks"]
        lives[6] = m["freed_blocks"] - m["temporary_blocks"]
        assert min(m.values()) >= 0 and min(lives) >= 0, (file, line, m)
        self.sites.append((self.text(file), self.text(function), line, end_line or line, column, end_column, flags, m, lives))
        return len(self.sites) - 1

    def curve(self, site, live, allocated=None):
        live = [int(v) for v in live]
        if allocated is None:
            allocated, top = [], 0
            for v in live:
                top = max(top, v)
                allocated.append(top)
        self.curves.append((site, live, [int(v) for v in allocated]))

    def node(self, parent, site, samples=1, allocated=0.0, live=0.0, peak=0.0):
        self.nodes.append((parent, site, samples, 1.0, float(allocated), 1.0, 1.0, float(live), float(peak)))
        return len(self.nodes) - 1

    def total(self, metric):
        return sum(site[7][metric] for site in self.sites)

    def sum(self, moment, **kinds):
        """What RSS is made of; rss is the sum of the rows."""
        rows = {k: int(v) for k, v in kinds.items()}
        rows["rss"] = sum(rows.values())
        self.memory += [(moment, k, v) for k, v in rows.items()]
        return rows["rss"]

    def tables(self):
        info = dict(self.info)
        for metric in ("allocated", "freed", "live", "peak"):
            for kind in ("blocks", "bytes"):
                info.setdefault(f"{metric}_{kind}", self.total(f"{metric}_{kind}"))
        if self.timeline:
            info.setdefault("peak_rss_bytes", max(row[1] for row in self.timeline))
            info.setdefault("peak_t_ns", max(self.timeline, key=lambda row: row[2])[0])
        keys = [self.text(k) for k in info]
        values = [self.text(str(v)) for v in info.values()]
        memory = [(self.text(m), self.text(k), b) for m, k, b in self.memory]
        threads = [(i, self.text(name), s, a) for i, name, s, a in self.threads]
        data, offsets = bytearray(), [0]
        for s in self.strings:
            data += s.encode()
            offsets.append(len(data))
        out = {"strings": {"offsets": ("i64", 1, offsets), "data": ("u8", 1, data)},
               "info": {"key": ("u32", 1, keys), "value": ("u32", 1, values)}}
        s = self.sites
        sites = {name: (kind, 1, [row[i] for row in s]) for name, kind, i in
                 (("file", "u32", 0), ("function", "u32", 1), ("line", "i32", 2), ("end_line", "i32", 3), ("column", "i32", 4),
                  ("end_column", "i32", 5), ("flags", "u32", 6))}
        for name in SITE_U64:
            sites[name] = ("u64", 1, [row[7][name] for row in s])
        sites["lifetimes"] = ("u64", 12, [v for row in s for v in row[8]])
        out["sites"] = sites

        def table(name, rows, *columns):
            out[name] = {c: (t, 1, [row[i] for row in rows]) for i, (c, t) in enumerate(columns)}
        table("nodes", self.nodes, ("parent", "u32"), ("site", "u32"), ("samples", "u64"), ("allocated_blocks", "f64"),
              ("allocated_bytes", "f64"), ("variance", "f64"), ("live_blocks", "f64"), ("live_bytes", "f64"), ("peak_bytes", "f64"))
        table("timeline", [(*row, 0)[:8] for row in self.timeline], *((c, "u64") for c in ("t_ns", "rss_bytes", "python_bytes", "python_blocks", "slab_bytes",
                                                                "native_used_bytes", "native_free_bytes", "arrow_used_bytes")))
        table("collections", self.collections, ("t_ns", "u64"), ("generation", "u32"), ("duration_ns", "u64"), ("collected", "u64"),
              ("uncollectable", "u64"), ("reclaimed_bytes", "i64"))
        table("memory", memory, ("moment", "u32"), ("kind", "u32"), ("bytes", "u64"))
        table("threads", threads, ("id", "u64"), ("name", "u32"), ("samples", "u64"), ("allocated_bytes", "f64"))
        out["curve_points"] = {"t_ns": ("u64", 1, self.points)}
        n = max(1, len(self.points))
        out["curves"] = {"site": ("u32", 1, [c[0] for c in self.curves]),
                         "live_bytes": ("u64", n, [v for c in self.curves for v in c[1]]),
                         "allocated_bytes": ("u64", n, [v for c in self.curves for v in c[2]])}
        for columns in out.values():
            for name, (kind, width, values) in columns.items():
                columns[name] = (kind, width, array(CODES[kind], values))
        return out

    def write(self, path):
        from memsure import _core
        _core.write(os.fspath(path), self.tables())
        return path

    def times(self, n):
        """n points over the run -> seconds; they become the curves' and the timeline's."""
        times = [self.seconds * (i + 1) / n for i in range(n)]
        self.points = [int(t * SECOND) for t in times]
        return times

    def samples(self, times, python, arrow=None):
        """A timeline: what Python holds, and the rest as it is in the sum of the end. arrow: by time, what its pool says; None: nothing."""
        rows = {k: v for m, k, v in self.memory if m == "end"}
        other = rows.get("rss", 40 * MIB) - rows.get("python_live", 0)
        for t, v, used in zip(times, python, arrow or [None] * len(times)):
            v = int(v)
            self.timeline.append((int(t * SECOND), v + other, v, v // 100, v + rows.get("slab_holes", 0), rows.get("native_live", 0),
                                  rows.get("native_free", 0), 0 if used is None else used + 1))


def source(folder, name, lines):
    """A source file older than the recording; `lines` is {number: text}."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        for number in range(1, max(lines) + 1):
            f.write(lines.get(number, "") + "\n")
    os.utime(path, (START // SECOND - 86400,) * 2)
    return path


def _imports(b):
    """An import-time baseline of two packages."""
    b.site("/usr/lib/python3.13/site-packages/pandas/core/frame.py", "<module>", 12, flags=4, allocated_blocks=90_000,
           allocated_bytes=14 * MIB, live_blocks=70_000, live_bytes=11 * MIB)
    b.site("/usr/lib/python3.13/site-packages/sqlalchemy/orm/mapper.py", "Mapper.__init__", 90, flags=4, allocated_blocks=40_000,
           allocated_bytes=8 * MIB, live_blocks=38_000, live_bytes=7 * MIB)
    b.site("/usr/lib/python3.13/json/encoder.py", "<module>", 30, flags=4, allocated_blocks=900, allocated_bytes=300 * KIB,
           live_blocks=800, live_bytes=280 * KIB)
    b.site("", "", 0, flags=9, allocated_blocks=12_000, allocated_bytes=2 * MIB, live_blocks=11_000, live_bytes=1900 * KIB)


def growing(folder, seconds=120.0, plateau=False, noisy=2.0, n=240, **info):
    """shop.py: a cache that keeps each product it loaded; the payload's line is the suspect."""
    folder = os.fspath(folder)
    shop = source(folder, "shop/shop.py", {30: "def handle(request):", 31: "    hit = CATALOG.load(request.sku)",
                                           40: '    return "".join(parts)'})
    cache = source(folder, "shop/cache.py", {
        18: "def load(self, key):", 20: "    self._by_key[key] = hit", 24: '    self.payload = {"tags": tags, "raw": raw}'})
    b = Build(cwd=folder, argv=["python", "shop.py"], command="shop.py", seconds=seconds, **info)
    times = b.times(n)
    wobble = noise(n, 7)
    end = 900 * MIB

    def level(t, bytes_):
        share = min(1.0, t / (0.5 * seconds)) if plateau else t / seconds
        return bytes_ * share
    payload = [max(0, level(t, end) + noisy * MIB * w) for t, w in zip(times, wobble)]
    table = [level(t, end / 20) for t in times]
    payload[-1], table[-1] = end, end // 20
    _imports(b)
    s = b.site(cache, "Product.__init__", 24, 19, 45, allocated_blocks=1_950_000, allocated_bytes=end + 9 * MIB,
               live_blocks=1_940_000, live_bytes=end)
    b.curve(s, payload)
    d = b.site(cache, "Catalog.load", 20, 4, 27, allocated_blocks=60, allocated_bytes=end // 10, live_blocks=1, live_bytes=end // 20)
    b.curve(d, table)
    h = b.site(shop, "handle", 31, 10, 35, allocated_blocks=4_000_000, allocated_bytes=400 * MIB, live_blocks=10,
               live_bytes=900, temporary_blocks=3_990_000, temporary_bytes=399 * MIB)
    j = b.site(shop, "handle", 40, 11, 25, allocated_blocks=2_000_000, allocated_bytes=2 * GIB, live_blocks=0,
               live_bytes=0, temporary_blocks=2_000_000, temporary_bytes=2 * GIB)
    top = b.node(0, h, 40, 400 * MIB)
    b.node(top, s, 1800, end, end, end)
    b.node(top, d, 10, end // 10, end // 20, end // 20)
    b.node(0, j, 300, 2 * GIB)
    base = b.total("live_bytes") - end - end // 20
    b.collections = [(int(t * SECOND), 2, 3_000_000, 10, 0, 9000) for t in times[::10]]
    b.sum("end", python_live=b.total("live_bytes"), slab_holes=45 * MIB, memsure=9 * MIB, native_live=20 * MIB, native_free=5 * MIB,
          files=11 * MIB, stacks=300 * KIB, unaccounted=2 * MIB)
    b.samples(times, [base + p + t for p, t in zip(payload, table)])
    return b


def churn(folder, seconds=9.8, **info):
    """render.py: a string grown by +=."""
    folder = os.fspath(folder)
    shop = source(folder, "shop/shop.py", {12: "def render(cells):", 13: '    out = ""', 14: "    for k, v in cells:",
                                           15: '        out += f"<td>{k}={v}</td>"'})
    feed = source(folder, "shop/feed.py", {61: "    parser = Parser(options)"})
    b = Build(cwd=folder, argv=["python", "render.py"], command="render.py", seconds=seconds, **info)
    times = b.times(98)
    _imports(b)
    b.site(shop, "render", 15, 8, 11, allocated_blocks=3_300_000, allocated_bytes=10 * GIB, live_blocks=1, live_bytes=14 * KIB,
           temporary_blocks=3_299_000, temporary_bytes=10 * GIB - 9 * MIB)
    b.site(feed, "read", 61, 13, 28, allocated_blocks=700_000, allocated_bytes=2 * GIB, live_blocks=0, live_bytes=0,
           temporary_blocks=700_000, temporary_bytes=2 * GIB)
    b.site("/usr/lib/python3.13/json/encoder.py", "iterencode", 200, 8, 20, allocated_blocks=9_000_000, allocated_bytes=GIB,
           temporary_blocks=8_000_000, temporary_bytes=GIB - 90 * MIB, live_blocks=4, live_bytes=400)
    b.sum("end", python_live=b.total("live_bytes"), slab_holes=1200 * KIB, native_live=19 * MIB, native_free=900 * KIB,
          files=21 * MIB, stacks=140 * KIB, unaccounted=600 * KIB)
    b.samples(times, [b.total("live_bytes")] * 98)
    return b


def cyclic(folder, seconds=12.6, **info):
    """parse_all.py: parents and children that hold each other."""
    folder = os.fspath(folder)
    tree = source(folder, "parse/tree.py", {2: "class Node:", 3: "    def __init__(self, parent):", 4: "        self.parent = parent",
                                            5: "        self.children = []"})
    b = Build(cwd=folder, argv=["python", "parse_all.py"], command="parse_all.py", seconds=seconds, **info)
    n = 126
    times = b.times(n)
    _imports(b)
    s = b.site(tree, "Node.__init__", 4, 8, 19, allocated_blocks=8_100_000, allocated_bytes=6 * GIB, live_blocks=100_000,
               live_bytes=22 * MIB, peak_blocks=3_000_000, peak_bytes=600 * MIB, gc_freed_blocks=7_990_000,
               gc_freed_bytes=6 * GIB - 40 * MIB)
    c = b.site(tree, "Node.__init__", 5, 8, 27, allocated_blocks=8_100_000, allocated_bytes=GIB // 2, live_blocks=100_000,
               live_bytes=6 * MIB, peak_blocks=3_000_000, peak_bytes=100 * MIB, gc_freed_blocks=7_990_000,
               gc_freed_bytes=GIB // 2 - 10 * MIB)
    saw = [24 * MIB + (i % 14) * 40 * MIB for i in range(n - 1)] + [22 * MIB]
    saw[27] = 600 * MIB
    small = [100 * MIB if v == 600 * MIB else v // 6 for v in saw[:-1]] + [6 * MIB]
    b.curve(s, saw)
    b.curve(c, small)
    base = b.total("live_bytes") - 28 * MIB
    b.collections = [(int(times[i] * SECOND), 2, 200_000_000, 310_000, 0, 412 * MIB) for i in range(13, n, 14)]
    b.sum("end", python_live=b.total("live_bytes"), slab_holes=9 * MIB, native_live=101 * MIB, native_free=21 * MIB, files=27 * MIB,
          stacks=900 * KIB, unaccounted=1400 * KIB)
    b.sum("peak", python_live=b.total("peak_bytes"), slab_holes=9 * MIB, native_live=101 * MIB, native_free=21 * MIB, files=27 * MIB,
          stacks=900 * KIB, unaccounted=1400 * KIB)
    b.samples(times, [base + v + w for v, w in zip(saw, small)])
    return b


def healthy(folder, seconds=200.0, **info):
    """api.py: imports, a table of routes filled once, requests that leave nothing."""
    folder = os.fspath(folder)
    routes = source(folder, "api/routes.py", {12: "    ROUTES[path] = handler"})
    b = Build(cwd=folder, argv=["python", "api.py"], command="api.py", seconds=seconds, **info)
    n = 200
    times = b.times(n)
    _imports(b)
    s = b.site(routes, "register", 12, 4, 16, allocated_blocks=1300, allocated_bytes=9 * MIB, live_blocks=1204, live_bytes=9 * MIB)
    b.curve(s, [9 * MIB] * n)
    b.sum("end", python_live=b.total("live_bytes"), slab_holes=2200 * KIB, native_live=15 * MIB, native_free=800 * KIB,
          files=21 * MIB, stacks=700 * KIB, unaccounted=400 * KIB)
    b.samples(times, [b.total("live_bytes") + 200 * KIB * w for w in noise(n, 3)])
    return b


def native(folder, seconds=90.0, **info):
    """feed.py: C code that keeps what it parses, while Python's own memory stays."""
    folder = os.fspath(folder)
    feed = source(folder, "feed.py", {11: "def pull(page):", 12: "    return parser.parse(page)"})
    b = Build(cwd=folder, argv=["python", "feed.py"], command="feed.py", seconds=seconds, **info)
    n = 180
    times = b.times(n)
    _imports(b)
    s = b.site(feed, "pull", 12, 11, 29, allocated_blocks=2_000_000, allocated_bytes=3 * GIB, live_blocks=400, live_bytes=600 * KIB,
               temporary_blocks=1_990_000, temporary_bytes=3 * GIB - 40 * MIB)
    b.curve(s, [600 * KIB] * n)
    live, end = b.total("live_bytes"), 512 * MIB
    b.sum("end", python_live=live, slab_holes=3 * MIB, native_live=end, native_free=6 * MIB, files=24 * MIB, stacks=200 * KIB, unaccounted=900 * KIB)
    for t, w in zip(times, noise(n, 11)):
        used = 20 * MIB + int((end - 20 * MIB) * t / seconds + 300 * KIB * w)
        b.timeline.append((int(t * SECOND), live + used + 34 * MIB, live, live // 100, live + 3 * MIB, used, 6 * MIB))
    return b


def allocator(folder, seconds=96.0, **info):
    """etl.py: malloc keeps what zlib's answers took."""
    folder = os.fspath(folder)
    feed = source(folder, "etl/feed.py", {32: "def pull(raw):", 33: "    return zlib.decompress(raw)"})
    b = Build(cwd=folder, argv=["python", "etl.py"], command="etl.py", seconds=seconds, **info)
    n = 192
    times = b.times(n)
    _imports(b)
    s = b.site(feed, "pull", 33, 11, 31, allocated_blocks=9_000, allocated_bytes=6 * GIB, peak_blocks=200, peak_bytes=1100 * MIB)
    busy = [1100 * MIB if 60 <= i < 90 else 0 for i in range(n)]
    b.curve(s, busy)
    live = b.total("live_bytes")
    rss = b.sum("end", python_live=live, slab_holes=9 * MIB, native_live=78 * MIB, native_free=1147 * MIB, files=44 * MIB, stacks=700 * KIB,
                unaccounted=6 * MIB)
    for i, t in enumerate(times):
        free = 0 if i < 60 else 1147 * MIB - busy[i]
        b.timeline.append((int(t * SECOND), rss if i >= 60 else rss - 1147 * MIB, live + busy[i], live // 100, live + 9 * MIB, 78 * MIB + busy[i], free))
    return b


def unrecorded(folder, **info):
    """Another allocator came before anything was recorded: a handful of blocks are all there is."""
    return Build(cwd=os.fspath(folder), seconds=2.0, **{**dict(allocated_blocks=4, allocated_bytes=176, freed_blocks=4, freed_bytes=176), **info})


def large(folder, sites=20_000, curves=400, points=300, nodes=40_000):
    """A recording with as many sites as a large program has."""
    b = Build(cwd=os.fspath(folder), command="large.py", seconds=300.0)
    times = b.times(points)
    r = noise(sites, 5)
    _imports(b)
    first = len(b.sites)
    for i in range(sites):
        live = int(abs(r[i]) ** 4 * MIB)
        kind = i % 3
        file = (f"/usr/lib/python3.13/site-packages/lib{i % 61}/part{i % 400}.py" if kind == 0 else f"/usr/lib/python3.13/mod{i % 97}.py"
                if kind == 1 else os.path.join(folder, f"own/part{i % 200}.py"))
        b.site(file, f"function_{i // 4}", i % 2000 + 1, 4, 30, flags=4 if i % 7 == 0 else 0, allocated_blocks=live // 50 + 10,
               allocated_bytes=live * 3 + 500, live_blocks=live // 100, live_bytes=live, temporary_blocks=3, temporary_bytes=live // 2,
               gc_freed_blocks=0, gc_freed_bytes=live // 7)
    for i in range(curves):
        live = b.sites[first + i][7]["live_bytes"] + MIB
        b.curve(first + i, [live * (j + 1) // points + i % 5 * 1000 for j in range(points)])
    for i in range(nodes):
        b.node(i // 3, first + (i * 7919) % sites, 1, 1000.0, 500.0, 600.0)
    b.sum("end", python_live=b.total("live_bytes"), slab_holes=90 * MIB, native_live=80 * MIB, files=40 * MIB, unaccounted=3 * MIB)
    b.samples(times, [b.total("live_bytes") * (0.5 + 0.5 * t / 300) for t in times])
    return b
