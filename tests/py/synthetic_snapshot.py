"""Snapshots that no program made: small heaps built by hand, written through `_core.write`.

`Heap` collects types, sites, objects and their references, and works out slowly and obviously what a snapshot's child
works out fast: dominators (by the textbook's fixed point), retained sizes, cycles, garbage. So it is the other opinion
on everything that the readers say. `shop`, `shop_later`, `chain` and `empty` are whole heaps.

    h = Heap()
    cache = h.type("shop.Cache", fields=["_by_key"])
    c = h.add(cache, 48, site=h.site("shop/cache.py", "Cache.__init__", 8))
    d = h.dict([(h.str("a"), value), ...])
    h.refer(c, "_by_key", d)
"""

import json
import os
from array import array

CODES = {"u8": "B", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f64": "d"}
REST = {"none": 0, "index": 1, "pairs": 2, "members": 3, "opaque": 4, "labels": 5}
NORMAL, GLOBALS, TYPE, WEAK = range(4)
BASE = 0x7F0000000000


class Heap:
    def __init__(self, prefix="", **info):
        self.prefix = prefix
        self.strings = {"": 0}
        self.types, self.type_rows = [], {}
        self.sites = [(0, 0, -1, -1, -1, -1, 0)]
        self.nodes = []         # dicts; [0] is the root; pseudo nodes are marked
        self.unexplained = {}
        self.containers = []
        self.equal = []
        self.equal_total = []
        self.raw = []
        self.info = dict(format="1", memsure="0.2.0", python="3.13.0", pid=4121, argv=json.dumps(["python", "shop.py"]),
                         taken_unix_ns=1_700_000_041_000_000_000, cwd="/srv/app", moment="exit", epoch=4120, epoch_ns=10_000_000, t_ns=41_200_000_000,
                         rss_bytes=1_921_997_537, python_live_bytes=0, pause_ns=12_000_000, child_ns=80_000_000,
                         child_peak_bytes=50_000_000, values="0", complete="1", incomplete_why="", skipped_types="[]")
        self.info.update(info)
        self.group = self.type("(group)", rest="labels", flags=4)
        self.root = self.add(self.group, 0, pseudo=True)

    # -- parts

    def text(self, s):
        return self.strings.setdefault(s, len(self.strings))

    def type(self, name, fields=(), rest="none", flags=1, basicsize=16, itemsize=0):
        row = self.type_rows.get(name)
        if row is None:
            row = self.type_rows[name] = len(self.types)
            self.types.append(dict(name=name, fields=list(fields), rest=rest, flags=flags, basicsize=basicsize, itemsize=itemsize, node=None))
        return row

    def site(self, file, function, line, column=-1, end_column=-1, flags=0):
        row = (self.text(file), self.text(function), line, line, column, end_column, flags)
        if row not in self.sites:
            self.sites.append(row)
        return self.sites.index(row)

    def add(self, type, size, said=None, site=0, birth=0, text=None, pseudo=False):
        t = self.types[type]
        self.nodes.append(dict(type=type, size=size, said=size if said is None else said, site=site, birth=birth, text=text, pseudo=pseudo,
                               fields=[None] * len(t["fields"]), rest=[]))
        return len(self.nodes) - 1

    def refer(self, owner, name, to, kind=NORMAL):
        """By a field's name; or to the rest: name None, or the label of a pseudo node."""
        n = self.nodes[owner]
        fields = self.types[n["type"]]["fields"]
        if name in fields:
            n["fields"][fields.index(name)] = (kind, to)
        else:
            n["rest"].append((kind, to, name))

    # -- what heaps are made of

    def str(self, text, size=56, key=True, **more):
        return self.add(self.type("str", basicsize=40, itemsize=1), size, text=text if key else None, **more)

    def dict(self, pairs=(), size=184, **more):
        d = self.add(self.type("dict", rest="pairs", flags=2, basicsize=48), size, **more)
        for key, value in pairs:
            self.refer(d, None, key)
            self.refer(d, None, value)
        return d

    def list(self, items=(), size=None, type="list", rest="index", **more):
        v = self.add(self.type(type, rest=rest, flags=2, basicsize=40), size or 56 + 8 * len(items), **more)
        for item in items:
            self.refer(v, None, item)
        return v

    def module(self, name, variables=(), **more):
        """A module held by sys.modules; variables: [(name, node)]."""
        m = self.add(self.type("module", ["__dict__"], flags=2), 72, text=name, **more)
        d = self.dict([(self.str(k), v) for k, v in variables])
        self.refer(m, "__dict__", d)
        modules = self.sys_modules()
        self.refer(modules, None, self.str(name))
        self.refer(modules, None, m)
        return m

    def sys_modules(self):
        if not hasattr(self, "_modules"):
            self.interpreter = self.pseudo("interpreter")
            self.refer(self.root, "interpreter", self.interpreter)
            self._modules = self.dict(size=2272)
            self.refer(self.interpreter, "sys.modules", self._modules)
        return self._modules

    def pseudo(self, text, type="(group)", site=0):
        return self.add(self.type(type, rest="labels", flags=4), 0, text=text, pseudo=True, site=site)

    def thread(self, text, *frames):
        """frames: (text, site, [(local, node)])"""
        t = self.pseudo(text, "(thread)")
        self.refer(self.root, "thread", t)
        for text, site, names in frames:
            f = self.pseudo(text, "(frame)", site)
            self.refer(t, "frame", f)
            for name, node in names:
                self.refer(f, name, node)
        return t

    # -- working out

    def finish(self):
        """Number the nodes (root, objects, pseudo nodes), add the garbage's node -> the graph as lists."""
        order = [0] + [i for i, n in enumerate(self.nodes) if i and not n["pseudo"]] + [i for i, n in enumerate(self.nodes) if i and n["pseudo"]]
        self.number = {old: new for new, old in enumerate(order)}
        nodes = [self.nodes[i] for i in order]
        edges = []      # per node: [(kind, target, label or None)]
        for n in nodes:
            out = [(k[0], self.number[k[1]], None) if k else (NORMAL, 0, None) for k in n["fields"]]
            if not n["rest"]:
                while out and out[-1][1] == 0:
                    out.pop()
            edges.append(out + [(k, self.number[t], label) for k, t, label in n["rest"]])
        strong = [[t for k, t, _ in out if k == NORMAL and t] for out in edges]
        alive = self.reached(strong, 0)
        promoted = []
        while True:     # what only globals or types keep: held by the root
            more = set()
            for v in sorted(alive):
                kinds = [t for k, t, _ in edges[v] if k == GLOBALS]
                type_node = self.types[nodes[v]["type"]]["node"]
                kinds += [self.number[type_node]] if type_node else []
                more |= {t for t in kinds if t and t not in alive}
            if not more:
                break
            promoted += sorted(more)
            for t in more:
                alive |= self.reached(strong, t)
        dead = set(range(len(nodes))) - alive
        garbage = 0
        if dead:
            garbage = len(nodes)
            nodes.append(dict(type=self.group, size=0, said=0, site=0, birth=0, text="cyclic garbage", pseudo=True))
            seeds = []
            components = self.components(strong, dead)
            for c in components:
                if not any(t in c for v in dead - set(c) for t in strong[v]):
                    seeds.append(min(c))
            edges.append([(NORMAL, v, "garbage") for v in sorted(seeds)])
            strong.append(sorted(seeds))
            edges[0].append((NORMAL, garbage, "cyclic garbage"))
            strong[0].append(garbage)
        strong[0] = strong[0] + promoted
        self.graph, self.finish_edges = strong, edges
        return nodes, edges, garbage

    @staticmethod
    def reached(strong, start):
        seen, waiting = {start}, [start]
        while waiting:
            for t in strong[waiting.pop()]:
                if t not in seen:
                    seen.add(t)
                    waiting.append(t)
        return seen

    @staticmethod
    def components(strong, among):
        """Strongly connected components, by reaching there and back."""
        among, out, done = set(among), [], set()
        index, low, stack, on, n = {}, {}, [], set(), 0
        for start in sorted(among):     # Tarjan's, without recursion
            if start in index:
                continue
            work = [(start, iter([t for t in strong[start] if t in among]))]
            index[start] = low[start] = n
            n += 1
            stack.append(start)
            on.add(start)
            while work:
                v, rest = work[-1]
                for t in rest:
                    if t not in index:
                        index[t] = low[t] = n
                        n += 1
                        stack.append(t)
                        on.add(t)
                        work.append((t, iter([u for u in strong[t] if u in among])))
                        break
                    if t in on:
                        low[v] = min(low[v], index[t])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[v])
                    if low[v] == index[v]:
                        c = []
                        while True:
                            u = stack.pop()
                            on.discard(u)
                            c.append(u)
                            if u == v:
                                break
                        out.append(sorted(c))
        return out

    @staticmethod
    def dominators(strong):
        """By the fixed point over reverse postorder."""
        order, seen, work = [], {0}, [(0, iter(strong[0]))]
        while work:
            v, rest = work[-1]
            for t in rest:
                if t not in seen:
                    seen.add(t)
                    work.append((t, iter(strong[t])))
                    break
            else:
                work.pop()
                order.append(v)
        place = {v: i for i, v in enumerate(reversed(order))}
        before = {v: [] for v in order}
        for v in order:
            for t in strong[v]:
                before[t].append(v)
        idom = {0: 0}
        changed = True
        while changed:
            changed = False
            for v in sorted(place, key=place.get):
                if v == 0:
                    continue
                new = None
                for p in before[v]:
                    if p in idom:
                        if new is None:
                            new = p
                        else:
                            a, b = p, new
                            while a != b:
                                while place[a] > place[b]:
                                    a = idom[a]
                                while place[b] > place[a]:
                                    b = idom[b]
                            new = a
                if idom.get(v) != new:
                    idom[v] = new
                    changed = True
        return idom

    def tables(self):
        nodes, edges, garbage = self.finish()
        n = len(nodes)
        idom = self.dominators(self.graph)
        self.idom = [idom[v] for v in range(n)]
        depth = {0: 0}

        def deep(v):
            path = []
            while v not in depth:
                path.append(v)
                v = self.idom[v]
            for u in reversed(path):
                depth[u] = depth[self.idom[u]] + 1
        for v in range(n):
            deep(v)
        retained, retained_said = [x["size"] for x in nodes], [x["said"] for x in nodes]
        for v in sorted(range(1, n), key=lambda v: -depth[v]):
            retained[self.idom[v]] += retained[v]
            retained_said[self.idom[v]] += retained_said[v]
        self.retained, self.final = retained, nodes
        heavy = sorted(set(self.idom[1:]) | {0})
        normal = [[t for k, t, _ in out if k == NORMAL and t] for out in edges]
        circles = [c for c in self.components(normal, range(n)) if len(c) > 1 or c[0] in normal[c[0]]]
        circles = [c for c in circles if garbage not in c and 0 not in c]
        circles.sort(key=lambda c: (-sum(nodes[v]["size"] for v in c), c))
        cycles = [(v, i) for i, c in enumerate(circles) for v in c]

        fields, types = [], []
        for t in self.types:
            types.append((self.text(t["name"]), self.number[t["node"]] if t["node"] else 0, REST[t["rest"]], t["flags"], t["basicsize"],
                          t["itemsize"], len(fields), len(t["fields"])))
            fields += [self.text(f) for f in t["fields"]]
        shapes, shape = {}, []
        for x in nodes:
            shape.append(shapes.setdefault((x["type"], x["said"], x["size"]), len(shapes)))
        to, labels, wide, degree = [], [], [], []
        for v, out in enumerate(edges):
            degree.append(min(255, len(out)))
            if len(out) >= 255:
                wide.append((v, len(out)))
            for kind, target, label in out:
                if label is not None:
                    labels.append((len(to), self.text(label)))
                to.append(kind << 30 | target)
        texts = [(v, self.text(x["text"])) for v, x in enumerate(nodes) if x.get("text") is not None]
        objects = sum(not x["pseudo"] for x in nodes)
        info = dict(self.info, nodes=n, objects=objects, edges=len(to), garbage_node=garbage)
        if not info["python_live_bytes"]:
            info["python_live_bytes"] = sum(x["size"] for x in nodes)
        keys, values = [self.text(k) for k in info], [self.text(str(v)) for v in info.values()]
        out = {}

        def table(name, rows, *columns):
            rows = list(rows)
            out[self.prefix + name] = {c: (t, 1, array(CODES[t], [r[i] for r in rows])) for i, (c, t) in enumerate(columns)}
        table("snap_info", zip(keys, values), ("key", "u32"), ("value", "u32"))
        table("sites", self.sites, ("file", "u32"), ("function", "u32"), ("line", "i32"), ("end_line", "i32"), ("column", "i32"),
              ("end_column", "i32"), ("flags", "u32"))
        table("objects", zip([2 * v if not x["pseudo"] else 0 for v, x in enumerate(nodes)], shape, [x["site"] for x in nodes],
                             [x["birth"] for x in nodes], degree, self.idom),
              ("address", "u32"), ("shape", "u32"), ("site", "u32"), ("birth", "u32"), ("degree", "u8"), ("idom", "u32"))
        table("regions", [(BASE, 1, objects)], ("base", "u64"), ("first", "u32"), ("count", "u32"))
        table("wide", wide, ("node", "u32"), ("degree", "u32"))
        table("edges", [(e,) for e in to], ("to", "u32"))
        table("shapes", shapes, ("type", "u32"), ("said", "u64"), ("allocated", "u64"))
        table("types", types, ("name", "u32"), ("node", "u32"), ("rest", "u8"), ("flags", "u32"), ("basicsize", "u32"), ("itemsize", "u32"),
              ("field_first", "u32"), ("field_count", "u32"))
        table("fields", [(f,) for f in fields], ("name", "u32"))
        table("labels", labels, ("edge", "u64"), ("name", "u32"))
        table("texts", texts, ("node", "u32"), ("text", "u32"))
        table("heavy", [(v, retained[v], retained_said[v]) for v in heavy], ("node", "u32"), ("retained", "u64"), ("retained_said", "u64"))
        table("cycles", cycles, ("node", "u32"), ("scc", "u32"))
        table("unexplained", sorted((self.number[v], r) for v, r in self.unexplained.items()), ("node", "u32"), ("refs", "i32"))
        table("containers", [(self.number[v], u, r) for v, u, r in self.containers], ("node", "u32"), ("used", "u32"), ("room", "u32"))
        table("equal", [(t, self.number[v], c, b) for t, v, c, b in self.equal], ("type", "u32"), ("example", "u32"), ("count", "u64"), ("bytes", "u64"))
        table("equal_total", self.equal_total, ("type", "u32"), ("groups", "u64"), ("count", "u64"), ("wasted", "u64"))
        table("raw", self.raw, ("site", "u32"), ("blocks", "u64"), ("bytes", "u64"))
        table("places", sorted((self.number[v], r, 0) for v, r in self.unexplained.items()), ("node", "u32"), ("refs", "i32"), ("words", "u32"))
        self.heap_map(table, nodes, objects)
        data, offsets = bytearray(), [0]
        for s in self.strings:
            data += s.encode()
            offsets.append(len(data))
        out[self.prefix + "strings"] = {"offsets": ("i64", 1, array("q", offsets)), "data": ("u8", 1, bytes(data))}
        return out

    def heap_map(self, table, nodes, objects):
        """The heap that the addresses tell of: a slot of 16 bytes for each object, then those of lists' and dicts' blocks."""
        blocks = [v for v in range(1, objects + 1) if self.types[nodes[v]["type"]]["name"] in ("list", "dict")]
        used = objects + len(blocks)
        slabs = used // 4096 + 1
        live = [min(used + 1, 4096 * (k + 1)) - max(1, 4096 * k) for k in range(slabs)]
        table("slabs", [(BASE + 65536 * k, 16, 4095, live[k], 0xFFFF) for k in range(slabs)],
              ("address", "u64"), ("stride", "u32"), ("present", "u32"), ("live", "u32"), ("dirty", "u32"))
        table("slab_pages", [(min(256, max(0, used + 1 - 256 * p)) - (p == 0),) for p in range(16 * slabs)], ("live", "u16"))
        table("owned", [(v, objects + 1 + i) for i, v in enumerate(blocks)], ("node", "u32"), ("place", "u32"))
        table("owned_large", [(v, 1, nodes[v]["size"]) for v in blocks if nodes[v]["size"] > 8168], ("node", "u32"), ("mapped", "u32"), ("bytes", "u64"))
        groups = [(g, v) for g, (t, example, _, size) in enumerate(self.equal) for v in range(1, objects + 1)
                  if (nodes[v]["type"], nodes[v]["size"], nodes[v]["text"]) == (t, size, self.nodes[example]["text"])]
        table("equal_members", groups, ("group", "u32"), ("node", "u32"))

    def write(self, path, without=()):
        from memsure import _core

        tables = self.tables()
        for name in without:
            table, _, column = name.partition(".")
            if column:
                del tables[table][column]
            else:
                del tables[table]
        _core.write(os.fspath(path), tables)
        return path


def shop(folder="/srv/app", products=1940, later=0, leaked=0, **info):
    """The shop of the examples: a catalog that keeps every product, sessions, dead trees, a thread at work."""
    products += later
    h = Heap(epoch=4120 + later, **info)
    at = {name: h.site(f"{folder}/{file}", function, line, column, end) for name, (file, function, line, column, end) in {
        "catalog": ("shop/shop.py", "<module>", 8, 10, 19), "table": ("shop/cache.py", "Catalog.__init__", 15, 8, 26),
        "product": ("shop/cache.py", "Catalog.get", 25, 14, 34), "payload": ("shop/cache.py", "Product.__init__", 24, 8, 40),
        "tags": ("shop/cache.py", "Product.__init__", 10, 8, 30), "key": ("shop/feed.py", "read", 40, 8, 20),
        "session": ("shop/feed.py", "login", 51, 8, 20), "tree": ("shop/tree.py", "Node.__init__", 4, 8, 21),
        "row": ("shop/img.py", "load", 77, 4, 9), "column": ("sqlglot/api.py", "parse", 210, 4, 9)}.items()}
    catalog_type = h.type("shop.cache.Catalog", ["_by_key"])
    product_type = h.type("shop.cache.Product", ["sku", "payload", "tags"])
    catalog = h.add(catalog_type, 48, site=at["catalog"], birth=3)
    tag = h.str("new", site=0)
    pairs = []
    for i in range(products):
        birth = 4 + i * 4110 // products
        p = h.add(product_type, 64, 48, site=at["product"], birth=birth)
        key = h.str(f"sku-{i}", 64, key=False, site=at["key"], birth=birth)
        h.refer(p, "sku", key)
        h.refer(p, "payload", h.dict([(tag, h.str("", 328, key=False, site=at["payload"], birth=birth))], site=at["payload"], birth=birth))
        h.refer(p, "tags", h.list([tag], site=at["tags"], birth=birth))
        pairs.append((key, p))
    table = h.dict(pairs, size=64 + 100 * products, site=at["table"], birth=3)
    h.containers.append((table, products, products * 3 // 2))
    h.refer(catalog, "_by_key", table)
    sessions = []
    session_type = h.type("shop.feed.Session", ["__dict__"])
    for i in range(60):
        s = h.add(session_type, 48, site=at["session"], birth=200)
        h.refer(s, "__dict__", h.dict([(h.str("user"), h.str(f"user-{i}", 200, key=False)), (h.str("cart"), h.list([], 88))], site=at["session"],
                                      birth=200))
        sessions.append(s)
    held = h.list(sessions, site=at["session"], birth=100)
    node_type = h.type("shop.tree.Node", ["parent", "children"])
    for _ in range(31):
        parent = h.add(node_type, 56, site=at["tree"], birth=4000)
        children = []
        for _ in range(3):
            child = h.add(node_type, 56, site=at["tree"], birth=4000)
            h.refer(child, "parent", parent)
            children.append(child)
        h.refer(parent, "children", h.list(children, site=at["tree"], birth=4000))
    h.module("shop", [("CATALOG", catalog), ("SESSIONS", held)])
    h.module("shop.cache", [("Catalog", h.type_object("shop.cache.Catalog")), ("Product", h.type_object("shop.cache.Product"))])
    row = h.list([h.str("", 4000, key=False, site=at["row"], birth=4100) for _ in range(5)], site=at["row"], birth=4100)
    h.thread("thread 4121 (main)", ("<module> in shop.py", at["catalog"], []), ("load in shop/img.py", at["row"], [("rows", row)]))
    outside = h.pseudo("held outside Python")
    h.refer(h.root, "held outside Python", outside)
    column_type = h.type("sqlglot.Column", ["name"], basicsize=64)
    for i in range(4 + leaked):
        c = h.add(column_type, 64, site=at["column"], birth=4100)
        h.unexplained[c] = 1
        h.refer(outside, None, c)
    weak = h.add(h.type("weakref.ReferenceType", ["referent"], flags=2), 72)
    h.refer(weak, "referent", catalog, WEAK)
    h.refer(h.interpreter, "at exit", weak)
    h.equal = [(h.type_rows["str"], tag, 60, 56)]
    h.equal_total = [(h.type_rows["str"], 3, 150, 5000)]
    h.raw = [(at["row"], 2, 8192)]
    return h


def type_object(self, name):
    row = self.type_rows[name]
    if self.types[row]["node"] is None:
        self.types[row]["node"] = self.add(self.type("type", flags=3, basicsize=904), 1064, text=name.rpartition(".")[2])
    return self.types[row]["node"]


Heap.type_object = type_object


def chain(length=3000):
    """A list linked by .next, a million times if need be; and the same by instance dicts."""
    h = Heap()
    link = h.type("chain.Link", ["next", "value"])
    nodes = [h.add(link, 48, site=1 if i else 0, birth=i) for i in range(length)]
    h.site("chain.py", "grow", 7)
    for a, b in zip(nodes, nodes[1:]):
        h.refer(a, "next", b)
    h.module("chain", [("HEAD", nodes[0])])
    return h


def empty():
    h = Heap()
    h.sys_modules()
    return h


def session():
    """A recording whose lines are those of the snapshot in it: what the shop's sites left, and what of it grows."""
    from synthetic import MIB, Build

    h = shop(products=40, leaked=3)
    h.prefix = "exit_"
    dozen = [h.str("the same text", 64, site=3, birth=300) for _ in range(12)]
    h.module("shop.feed", [("TEXTS", h.list(dozen, size=9000, site=7, birth=300))])
    h.equal = [(h.type_rows["str"], dozen[0], 12, 64)]
    texts = {i: s for s, i in h.strings.items()}
    b = Build(seconds=6.0)
    b.points = [(i + 1) * 100_000_000 for i in range(60)]
    for file, function, line, _, column, end, flags in h.sites:
        site = b.site(texts[file], texts[function], line, column, end, allocated_blocks=900_000, allocated_bytes=90 * MIB, live_blocks=300_000,
                      live_bytes=30 * MIB, gc_freed_blocks=500_000, gc_freed_bytes=50 * MIB)
        b.curve(site, [i * MIB // 2 for i in range(60)])
        b.node(0, site, 30, 90 * MIB, 30 * MIB, 30 * MIB)
    b.timeline = [(t, 400 * MIB, 300 * MIB, 3_000_000, 320 * MIB, 10 * MIB, MIB) for t in b.points]
    b.collections = [(t, 2, 40_000_000, 5000, 0, MIB) for t in b.points[::6]]
    b.sum("end", python_live=300 * MIB, native_free=30 * MIB, slab_holes=50 * MIB)
    b.info.update(mode="line", snapshots='["exit"]')
    return {**b.tables(), **h.tables()}


class Session:
    """A recording with a snapshot of its end in it: its lines are those where the snapshot's objects were born, each with what it left."""

    def __init__(self, heap, build, grows=()):
        self.heap, self.build = heap, build
        texts = {i: s for s, i in heap.strings.items()}
        live = {}
        for node in heap.nodes:
            if not node["pseudo"]:
                blocks, nbytes = live.get(node["site"], (0, 0))
                live[node["site"]] = blocks + 1, nbytes + node["size"]
        times, python = build.times(120), [0] * 120
        for number, (file, function, line, _, column, end, flags) in enumerate(heap.sites):
            blocks, nbytes = live.get(number, (0, 0))
            known = bool(texts[file])
            site = build.site(texts[file], texts[function], line if known else 0, column, end, flags=flags if known else 9, allocated_blocks=2 * blocks,
                              allocated_bytes=2 * nbytes, live_blocks=blocks, live_bytes=nbytes)
            curve = [nbytes * (i + 1) // 120 if number in grows else nbytes for i in range(120)]
            build.curve(site, curve)
            build.node(0, site, 30, 2 * nbytes, nbytes, nbytes)
            python = [a + b for a, b in zip(python, curve)]
        build.sum("end", python_live=build.total("live_bytes"), slab_holes=2 * 1048576, native_live=9 * 1048576, native_free=1048576, files=12 * 1048576)
        build.samples(times, python)
        build.info.update(snapshots='["exit"]')

    def write(self, path):
        from memsure import _core

        _core.write(os.fspath(path), {**self.build.tables(), **self.heap.tables()})
        return path


def keeping(folder, **info):
    """The shop: a catalog that keeps each product, and the snapshot that says so."""
    from synthetic import Build, source

    folder = os.fspath(folder)
    source(folder, "shop/cache.py", {
        8: "class Product:", 9: "    def __init__(self, sku, raw):", 10: "        self.tags = list(TAGS)", 13: "class Catalog:",
        14: "    def __init__(self):", 15: "        self._by_key = {}", 17: "    def get(self, key, raw):", 24: '        payload = {"new": raw}',
        25: "        self._by_key[key] = hit = Product(key, payload)"})
    source(folder, "shop/shop.py", {8: "CATALOG = Catalog()"})
    h = shop(folder, prefix="exit_", cwd=folder)
    b = Build(cwd=folder, argv=["python", "shop.py"], command="shop.py", seconds=41.2, **info)
    return Session(h, b, [h.sites.index(s) for s in h.sites if s[2] in (10, 24, 25, 40)])


def emptied(folder, **info):
    """dedupe.py: a table of what was seen, emptied, and as large as ever."""
    from synthetic import Build, source

    folder = os.fspath(folder)
    source(folder, "dedupe.py", {6: "SEEN = {}", 9: "def forget(n):", 10: "    SEEN.pop(n)"})
    h = Heap("exit_", cwd=folder, argv=json.dumps(["python", "dedupe.py"]))
    table = h.dict([(h.str(f"row-{i}"), h.str("", 64, key=False)) for i in range(40)], size=20 << 20, site=h.site(f"{folder}/dedupe.py", "<module>", 6, 7, 9),
                   birth=3)
    h.containers.append((table, 40, 400_000))
    h.module("__main__", [("SEEN", table)])
    return Session(h, Build(cwd=folder, argv=["python", "dedupe.py"], command="dedupe.py", seconds=41.2, **info))


if __name__ == "__main__":      # tests/data/: written once per version of the format, readable for good
    import sys

    from memsure import _core

    if sys.argv[1] == "session":
        _core.write(sys.argv[2], session())
    else:
        shop(products=40).write(sys.argv[1])
