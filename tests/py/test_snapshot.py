"""memsure.snapshot(): what is in the file is what is in the program."""
import functools
import json
import os
import sys

import pytest

import decode
from conftest import run, MEMSURE
from memsure import _core


class Snap:
    """A snapshot read column by column: nodes, edges by name, sizes. decoded: by the second decoder."""

    def __init__(self, path, prefix="", decoded=False):
        self.file = decode.decode(path) if decoded else _core.open(str(path))
        self.prefix = prefix
        offsets, data = self.column("strings", "offsets"), bytes(self.column("strings", "data"))
        self.strings = s = [data[a:b].decode() for a, b in zip(offsets, list(offsets)[1:])]
        self.info = {s[k]: s[v] for k, v in zip(self.column("snap_info", "key"), self.column("snap_info", "value"))}
        self.shape, self.degree = self.column("objects", "shape"), list(self.column("objects", "degree"))
        for node, degree in zip(self.column("wide", "node"), self.column("wide", "degree")):
            self.degree[node] = degree
        self.first = [0]
        for d in self.degree:
            self.first.append(self.first[-1] + d)
        self.to = self.column("edges", "to")
        self.shape_type = self.column("shapes", "type")
        self.said_of, self.allocated_of = self.column("shapes", "said"), self.column("shapes", "allocated")
        self.type_name = [s[i] for i in self.column("types", "name")]
        self.rest = self.column("types", "rest")
        self.field_first, self.field_count = self.column("types", "field_first"), self.column("types", "field_count")
        self.fields = [s[i] for i in self.column("fields", "name")]
        self.labels = {e: s[n] for e, n in zip(self.column("labels", "edge"), self.column("labels", "name"))}
        self.texts = {n: s[t] for n, t in zip(self.column("texts", "node"), self.column("texts", "text"))}
        self.unexplained = dict(zip(self.column("unexplained", "node"), self.column("unexplained", "refs")))
        self.site = self.column("objects", "site")
        self.birth = self.column("objects", "birth")
        self.nodes = len(self.shape)
        self.objects = int(self.info["objects"])
        address = self.column("objects", "address")
        self.address = {}
        for base, first, count in zip(*(self.column("regions", c) for c in ("base", "first", "count"))):
            for node in range(first, first + count):
                self.address[node] = base + 8 * address[node]
        self.at = {a: n for n, a in self.address.items()}

    def column(self, table, name):
        return list(self.file.column(self.prefix + table, name))

    @functools.cached_property
    def retained(self):
        """{node: (allocated, said)} of the nodes that dominate others."""
        return {n: (a, b) for n, a, b in zip(*(self.column("heavy", c) for c in ("node", "retained", "retained_said")))}

    def of_type(self, name):
        return [n for n in range(self.nodes) if self.type(n) == name]

    def type(self, node):
        return self.type_name[self.shape_type[self.shape[node]]]

    def said(self, node):
        return self.said_of[self.shape[node]]

    def allocated(self, node):
        return self.allocated_of[self.shape[node]]

    def edges(self, node):
        """[(name, kind, target)] in order, empty places left out."""
        t = self.shape_type[self.shape[node]]
        names = self.fields[self.field_first[t]:self.field_first[t] + self.field_count[t]]
        out, key = [], 0
        for i, e in enumerate(range(self.first[node], self.first[node + 1])):
            target, kind = self.to[e] & 0x3FFFFFFF, self.to[e] >> 30
            if e in self.labels:
                name = self.labels[e]
            elif i < len(names):
                name = names[i]
            else:
                k = i - len(names)
                name = {1: f"[{k}]", 2: "key" if k % 2 == 0 else self.texts.get(key, "?")}.get(self.rest[t])
                if self.rest[t] == 2 and k % 2 == 0:
                    key = target
            if target or kind:
                out.append((name, kind, target))
        return out

    def edge(self, node, name):
        return {n: t for n, _, t in self.edges(node)}[name]


SNAPSHOT = """
import json, sys
import memsure
def snap(say=None, **objects):
    memsure.snapshot(sys.argv[1])
    print(json.dumps({"say": say} | {k: id(v) for k, v in objects.items()}))
"""


@pytest.fixture(params=["plain", "recorded"])
def snapshot(request, tmp_path):
    """snapshot(source) runs it, with a function snap(**facts), plain and under memsure run: (Snap, facts)."""
    def take(source, *, recorded=request.param == "recorded", decoded=False, **more):
        (tmp_path / "app.py").write_text(SNAPSHOT + source)
        out = tmp_path / "snap.memsure"
        command = [str(tmp_path / "app.py"), str(out)]
        more.setdefault("env", {"MEMSURE_SNAPSHOT_CHECK": "1"})     # the child checks its own structures
        done = run([*MEMSURE, "run", "-q", "-o", str(tmp_path / "run.memsure"), *command] if recorded else [sys.executable, *command],
                   cwd=tmp_path, **more)
        assert done.returncode == 0, done.stderr
        facts = json.loads(done.stdout)
        return Snap(out, decoded=decoded), facts
    return take


def test_an_instance_and_what_it_holds(snapshot):
    s, facts = snapshot("""
class A:
    def __init__(self):
        self.x = [1.5, "two"]
        self.y = {"key": self}
class B:
    __slots__ = ("p", "q")
a, b = A(), B()
b.q = a
snap(a=a, x=a.x, y=a.y, b=b, two=a.x[1], half=a.x[0])
""", decoded=True)
    a = s.at[facts["a"]]
    assert s.type(a) == "__main__.A" and s.type(s.at[facts["b"]]) == "__main__.B"
    assert s.edge(a, "x") == s.at[facts["x"]] and s.edge(a, "y") == s.at[facts["y"]]
    assert [t for _, _, t in s.edges(s.at[facts["x"]])] == [s.at[facts["half"]], s.at[facts["two"]]]
    assert [(n, t) for n, _, t in s.edges(s.at[facts["y"]])][1][1] == a
    assert s.edges(s.at[facts["b"]]) == [("q", 0, a)]
    assert a not in s.unexplained
    assert s.info["complete"] == "1" and int(s.info["nodes"]) == s.nodes


def test_items_keep_their_names_beside_attributes(snapshot):
    s, facts = snapshot("""
class Shelf(list): pass
class Error(Exception): pass
inside, looked_at, error = Shelf(["first"]), Shelf(["first"]), Error("why")
for o in inside, looked_at, error:
    o.note, o.more = "note", "more"
for o in looked_at, error:
    vars(o)                                     # has a dict from here on
snap(inside=inside, looked_at=looked_at, error=error, first=inside[0], note=inside.note)
""")
    first, note = s.at[facts["first"]], s.at[facts["note"]]
    for name in "inside", "looked_at":
        assert s.edge(s.at[facts[name]], "[0]") == first
    assert s.type(s.edge(s.at[facts["error"]], "args")) == "tuple"
    keys = s.edges(s.edge(s.at[facts["looked_at"]], "__dict__"))
    assert [t for _, _, t in keys][1] == note


def test_objects_carry_their_birth_line(snapshot, request):
    s, facts = snapshot("""
class A: pass
many = [A() for i in range(300)]
snap(many=many)
""")
    if "recorded" not in request.node.name:
        assert set(s.site[1:s.objects + 1]) == {0}             # nobody knows; but frames have their line
        return
    lines, files = s.column("sites", "line"), s.column("sites", "file")
    nodes = [n for n in range(s.nodes) if s.type(n) == "__main__.A"]
    assert len(nodes) == 300
    assert {lines[s.site[n]] for n in nodes} == {SNAPSHOT.count("\n") + 3}
    assert {s.strings[files[s.site[n]]].rpartition("/")[2] for n in nodes} == {"app.py"}


@pytest.mark.parametrize("times", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_program_notices_nothing(tmp_path, times):
    """No SIGCHLD, no child for wait, no zombie, no descriptor; signal handlers and atexit run in the program alone."""
    (tmp_path / "app.py").write_text("""
import atexit, json, os, signal, sys, threading
import memsure
got = []
signal.signal(signal.SIGCHLD, lambda *a: got.append(a[0]))
signal.signal(signal.SIGALRM, lambda *a: got.append(a[0]))
atexit.register(print, "end")
os.register_at_fork(before=lambda: got.append("fork"))
fds = os.listdir("/proc/self/fd")
stop = threading.Event()
def busy():
    n = 0
    while not stop.is_set():
        d = {str(i): [i] for i in range(50)}
        n += len(d)
threads = [threading.Thread(target=busy) for _ in range(3)]
for t in threads: t.start()
for i in range(int(sys.argv[2])):
    memsure.snapshot(sys.argv[1], wait=i % 2 == 0)
for running in memsure._running:
    memsure._core.snapshot_wait(running)
memsure._running.clear()
stop.set()
for t in threads: t.join()
try:
    os.waitpid(-1, 0)
    got.append("a child")
except ChildProcessError:
    pass
children = open(f"/proc/self/task/{os.getpid()}/children").read().split() if os.path.exists(f"/proc/self/task/{os.getpid()}/children") else []
print(json.dumps([got, children, fds == os.listdir("/proc/self/fd")]))
""")
    done = run([sys.executable, str(tmp_path / "app.py"), str(tmp_path / "s.memsure"), str(times)], timeout=60 + times)
    assert done.returncode == 0, done.stderr
    line, end = done.stdout.splitlines()
    assert json.loads(line) == [[], [], True] and end == "end"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []      # nothing half done
    assert Snap(tmp_path / "s.memsure").info["complete"] == "1"


@pytest.mark.parametrize("path, text", [("missing/s", "does not exist"), (".", "a folder"), ("x" * 5000, "characters")])
def test_a_path_that_cannot_be_written(tmp_path, path, text):
    with pytest.raises(_core.Error, match=text):
        _core.snapshot(str(tmp_path / path))


def test_locals_of_frames_and_generators_have_names(snapshot):
    s, facts = snapshot("""
import threading
def generator(given):
    inside = ["inside"]
    yield inside
    print(given, inside)
g = generator(["given"]); next(g)
async def coroutine(argument):
    await argument
def work():
    of_thread = ["of thread"]
    ready.set()
    go.wait()
ready, go = threading.Event(), threading.Event()
t = threading.Thread(target=work); t.start(); ready.wait()
class Wait:
    def __await__(self): yield
co = coroutine(Wait()); co.send(None)
def f(own):
    snap(g=g, own=own, co=co, inside=g.gi_frame.f_locals["inside"])
f(["own"])
go.set(); t.join()
""")
    g = {name: t for name, _, t in s.edges(s.at[facts["g"]])}
    assert g["inside"] == s.at[facts["inside"]] and s.type(g["given"]) == "list"
    assert "argument" in {name for name, _, _ in s.edges(s.at[facts["co"]])}
    frames = {s.texts[n].partition(" in ")[0]: {name: t for name, _, t in s.edges(n)} for n in s.of_type("(frame)")}
    assert frames["f"]["own"] == s.at[facts["own"]] and "of_thread" in frames["work"]
    assert len(s.of_type("(thread)")) == 2


def test_a_weak_reference_keeps_nothing(snapshot):
    s, facts = snapshot("""
import weakref
class A: pass
a = A()
r = weakref.ref(a, print)
snap(a=a, r=r)
""")
    edges = {name: (kind, t) for name, kind, t in s.edges(s.at[facts["r"]])}
    assert edges["referent"] == (3, s.at[facts["a"]]) and edges["__callback__"][0] == 0


def test_garbage_is_listed(snapshot):
    s, facts = snapshot("""
import gc
gc.disable()
class Ring: pass
for i in range(10):
    a, b = Ring(), Ring()
    a.other, b.other = b, a
    a.data = ["lost", i]
del a, b
snap()
""")
    node = int(s.info["garbage_node"])
    assert [s.type(t) for _, _, t in s.edges(node)].count("__main__.Ring") == 10     # one of each pair
    assert int(s.info["garbage_nodes"]) >= 30
    assert sum(s.type(n) == "__main__.Ring" for n in s.column("cycles", "node")) == 20


def test_a_list_that_is_being_sorted(snapshot):
    """Its entries are away meanwhile, and it says that -1 are reserved."""
    s, facts = snapshot("""
rows = list(range(1000, 0, -1))
def key(n):
    if n == 500:
        snap(rows=rows)
    return n
rows.sort(key=key)
""")
    node = s.at[facts["rows"]]
    assert s.said(node) == sys.getsizeof([])
    assert all(room < 1 << 30 for room in s.column("containers", "room"))


def test_containers_and_equal_values(snapshot):
    s, facts = snapshot("""
emptied = {i: None for i in range(1000)}
for i in range(990): del emptied[i]
same = ["the same text %d" % 7 for i in range(40)]
snap(emptied=emptied, same=same)
""")
    box = {n: (u, r) for n, u, r in zip(*(s.column("containers", c) for c in ("node", "used", "room")))}
    used, room = box[s.at[facts["emptied"]]]
    assert used == 10 and room > 1000
    counts = {s.type(e): c for e, c in zip(s.column("equal", "example"), s.column("equal", "count")) if c >= 40}
    assert counts.get("str", 0) >= 40
    texts = s.edges(s.at[facts["same"]])
    example = {e: c for e, c in zip(s.column("equal", "example"), s.column("equal", "count"))}
    assert example[min(t for _, _, t in texts)] == 40


def test_equal_tuples_are_grouped(snapshot):
    s, facts = snapshot("""
class T(tuple): pass
one = int("1")
flat = [(i % 3, "text %d" % (i % 3), 1.5 * (i % 3), None, True) for i in range(30)]
deep = [((one, ("a%d" % (i % 2), (b"b" * one, i % 2))), False) for i in range(20)]
unlike = [(one, 2, 3.0), (one, 2, 3), (one, 2, True), (one, 2, "3"), (one, 2, b"3")]
others = [T((one, 2, 4)) for i in range(5)] + [([], one) for i in range(5)] + [tuple(range(65)) for i in range(5)]
snap(flat=flat, deep=deep, unlike=unlike, others=others)
""")
    group = {}
    for g, n in zip(s.column("equal_members", "group"), s.column("equal_members", "node")):
        group[n] = g
    count = s.column("equal", "count")
    def items(name):
        return [t for _, _, t in s.edges(s.at[facts[name]])]
    flat, deep = items("flat"), items("deep")
    assert [count[group[n]] for n in flat] == [10] * 30 and len({group[n] for n in flat}) == 3
    assert all(group[n] == group[flat[i % 3]] for i, n in enumerate(flat))
    assert [count[group[n]] for n in deep] == [10] * 20 and len({group[n] for n in deep}) == 2
    assert not [n for n in items("unlike") if n in group and count[group[n]] > 1]
    assert not [n for n in items("others") if n in group]
    totals = {s.type_name[t]: c for t, c in zip(s.column("equal_total", "type"), s.column("equal_total", "count"))}
    assert totals["tuple"] >= 30 + 20 + 20


def test_text_files_in_memory(snapshot):
    """io.StringIO: what was written and not yet looked at is a text; later, an array of its own."""
    s, facts = snapshot("""
import io
written, looked_at = io.StringIO(), io.StringIO()
for i in range(3):
    written.write("x" * 20_000)
looked_at.write("y" * 30_000)
looked_at.seek(5)
looked_at.write("z")
snap(written=written, looked_at=looked_at)
""")
    written, looked_at = s.at[facts["written"]], s.at[facts["looked_at"]]
    assert s.type(written) == s.type(looked_at) == "_io.StringIO"
    below, work = set(), [written]
    while work:
        node = work.pop()
        if node not in below and s.type(node) in ("_io.StringIO", "list", "str"):
            below.add(node)
            work += [t for _, _, t in s.edges(node)]
    assert 60_000 <= sum(s.allocated(n) for n in below) < 200_000
    assert s.allocated(looked_at) >= 4 * 30_000 and s.allocated(written) < 4 * 30_000
    assert written not in s.unexplained and not below & set(s.unexplained)


def test_numpy_arrays(snapshot):
    pytest.importorskip("numpy")
    s, facts = snapshot("""
import numpy as np
class A: pass
objects = np.array([A() for i in range(50)], dtype=object)
view = objects[10:20]
records = np.array([(1, A()), (2, A())], dtype=[("n", "i8"), ("a", "O")])
numbers = np.arange(1000.0)
snap([sys.getsizeof(numbers), sys.getsizeof(objects)], objects=objects, view=view, records=records, numbers=numbers)
""")
    at = {k: s.at[v] for k, v in facts.items() if k != "say"}
    assert sum(s.type(t) == "__main__.A" for _, _, t in s.edges(at["objects"])) == 50
    assert s.edge(at["view"], "base") == at["objects"]
    assert sum(s.type(t) == "__main__.A" for _, _, t in s.edges(at["records"])) == 2
    assert [s.said(at["numbers"]), s.said(at["objects"])] == facts["say"]
    assert all(n not in s.unexplained for n in s.of_type("__main__.A"))


TWO = r"""
import collections, ctypes, gc, json, os, random, sys, weakref
import memsure
gc.disable()
libc = ctypes.CDLL(None)
libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
unreadable = [libc.mmap(None, 1 << 22, 0, 0x22, -1, 0)]
class Attributes:
    def __init__(self, i): self.name, self.number = f"name {i}", i + 0.5
class Slots: __slots__ = ("a", "b", "__weakref__")
class Shelf(list): pass
class Words(dict): pass
random.seed(7)
def make(i):
    o, s = Attributes(i), Slots()
    s.a, s.b = o, [i + 1000, "é" * (i % 40)]
    shelf = Shelf([s]); shelf.note = f"note {i}"
    if i % 3 == 0: vars(o)["more"] = (i, b"%d" % i)
    return [o, s, shelf, Words(k=s), {o: s, "s": s}, {i, f"set {i}"}, frozenset((i, "x")), collections.deque([o, i]), weakref.ref(s), weakref.ref(o, print),
            collections.OrderedDict(o=o), bytearray(i % 100), lambda: (o, i), (j for j in s.b), o.__init__, Exception(i, o), 1 << i % 200, slice(i, o), range(i + 300)]
keep = [make(i) for i in range(1500)]
everything = [o for group in keep for o in group]
for i in range(3000):                                   # references from anywhere to anywhere
    random.choice(keep).append(random.choice(everything))
unreadable.append(libc.mmap(None, 1 << 22, 0, 0x22, -1, 0))
for k, group in enumerate(random.sample(keep, 40)):     # and some to where nothing can be read
    items = ctypes.cast(id(group) + list.__basicsize__ - 16, ctypes.POINTER(ctypes.c_void_p))[0]
    ctypes.cast(items, ctypes.POINTER(ctypes.c_void_p))[5] = unreadable[k % 2] + 4096 * k
del everything, group, items
for n, fork in (1, False), (2, True), (3, True):
    memsure.snapshot(f"{sys.argv[1]}{n}", fork=fork)
print(json.dumps([id(keep), unreadable]), flush=True)
os._exit(0)
"""


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "plain"])
def test_two_threads_read_what_one_reads(recorded, tmp_path):
    """In the program itself one thread reads; in a child that checks itself two, even where there is little to read."""
    (tmp_path / "app.py").write_text(TWO)
    command = [str(tmp_path / "app.py"), str(tmp_path / "s")]
    done = run([*MEMSURE, "run", "-q", "--snapshot=none", "-o", str(tmp_path / "r.memsure"), *command] if recorded else [sys.executable, *command],
               env={"MEMSURE_SNAPSHOT_CHECK": "1"})
    assert done.returncode == 0, done.stderr
    keep, unreadable = json.loads(done.stdout)

    def below(s):
        """By address, all that keep holds: type, sizes, birth, references in their order, and the rows that are about it."""
        site = [(s.strings[f], line) for f, line in zip(s.column("sites", "file"), s.column("sites", "line"))]
        rows = {n: [] for n in range(s.nodes)}
        for table, *names in ("containers", "used", "room"), ("owned", "place"), ("owned_large", "mapped", "bytes"):
            nodes = s.column(table, "node") if table in s.file.tables else []
            assert nodes == sorted(nodes)
            for node, *row in zip(nodes, *(s.column(table, n) for n in names)):
                rows[node].append((table, *row))
        out, waiting = {}, [s.at[keep]]
        while waiting:
            n = waiting.pop()
            if s.address.get(n) in out or n not in s.address:
                continue
            edges = [(s.to[e] >> 30, s.to[e] & 0x3FFFFFFF) for e in range(s.first[n], s.first[n + 1])]
            out[s.address[n]] = (s.type(n), s.said(n), s.allocated(n), site[s.site[n]], s.birth[n], rows[n], s.unexplained.get(n),
                                 [(kind, s.address.get(t)) for kind, t in edges])
            waiting += [t for kind, t in edges if kind == 0 and t]
        return out

    one, two, again = (Snap(tmp_path / f"s{n}") for n in (1, 2, 3))
    a, b, c = below(one), below(two), below(again)
    assert len(a) > 20000 and {k: v for k, v in a.items() if b.get(k) != v} == {} and a == b == c
    assert sum(a[u + 4096 * k][0] == "(not readable)" for u in unreadable for k in range(40) if u + 4096 * k in a) == 40
    assert [s.retained[s.at[keep]] for s in (two, again)] == [one.retained[one.at[keep]]] * 2


@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
def test_with_too_little_memory_objects_are_counted(tmp_path, recorded):
    (tmp_path / "app.py").write_text("""
import sys
from memsure import _core
class A: pass
many = [A() for i in range(20000)]
_core.snapshot(sys.argv[1], memory_limit=1 << 20)
""")
    command = [str(tmp_path / "app.py"), str(tmp_path / "s.memsure")]
    done = run([*MEMSURE, "run", "-q", "-o", str(tmp_path / "r.memsure"), *command] if recorded else [sys.executable, *command])
    assert done.returncode == 0, done.stderr
    file = _core.open(str(tmp_path / "s.memsure"))
    offsets, data = list(file.column("strings", "offsets")), bytes(file.column("strings", "data"))
    strings = [data[a:b].decode() for a, b in zip(offsets, offsets[1:])]
    info = {strings[k]: strings[v] for k, v in zip(file.column("snap_info", "key"), file.column("snap_info", "value"))}
    assert info["complete"] == "0" and "too little memory" in info["incomplete_why"] and "objects" not in file.tables
    names, types, lines = file.column("types", "name"), file.column("shapes", "type"), file.column("sites", "line")
    counts = {}
    for shape, site, count in zip(*(file.column("counts", c) for c in ("shape", "site", "count"))):
        key = strings[names[types[shape]]], lines[site]
        counts[key] = counts.get(key, 0) + count
    assert counts["__main__.A", 5 if recorded else -1] == 20000


GROUPS = {  # name: (/proc/self/cgroup, MemAvailable in kB, {file: text}, complete)
    "own limit": ("0::/a/b", 8 << 20, {"a/b/memory.max": 300 << 20, "a/b/memory.current": 298 << 20}, False),
    "limit of a group around it": ("0::/a/b", 8 << 20, {"a/b/memory.max": "max", "a/b/memory.current": 1 << 20, "a/memory.max": 300 << 20, "a/memory.current": 298 << 20}, False),
    "used above its limit": ("0::/a", 8 << 20, {"a/memory.max": 1 << 20, "a/memory.current": 2 << 20}, False),
    "version 1": ("4:memory:/a\n1:name=systemd:/x", 8 << 20, {"memory/a/memory.limit_in_bytes": 300 << 20, "memory/a/memory.usage_in_bytes": 298 << 20}, False),
    "the machine's": ("0::/", 2 << 10, {}, False),
    "room": ("0::/a", 8 << 20, {"a/memory.max": 3 << 30, "a/memory.current": 298 << 20}, True),
    "no limit": ("0::/a", 8 << 20, {"a/memory.max": "max", "a/memory.current": 298 << 20}, True),
}


@pytest.mark.parametrize("name", GROUPS)
def test_near_a_limit_objects_are_counted(tmp_path, name):
    """The kernel's files are made up, of a machine or a cgroup that has a few MiB left: the child asks them, and takes no more than half."""
    group, available, files, complete = GROUPS[name]
    texts = {"proc/self/cgroup": group, "proc/meminfo": f"MemTotal: 99 kB\nMemAvailable: {available} kB", **{f"sys/fs/cgroup/{f}": t for f, t in files.items()}}
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f"{text}\n")
    done = run([sys.executable, "-c", "import sys; from memsure import _core; many = [[i] for i in range(20000)]; _core.snapshot(sys.argv[1])",
                str(tmp_path / "s.memsure")], env={**os.environ, "MEMSURE_SNAPSHOT_ROOT": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    tables = _core.open(str(tmp_path / "s.memsure")).tables
    assert ("objects" in tables, "counts" in tables) == (complete, not complete)


def test_a_refused_fork_is_one_sentence(tmp_path):
    (tmp_path / "app.py").write_text("""
import os, resource, sys, tempfile
from memsure import _core
folder = tempfile.mkdtemp()
os.chmod(folder, 0o777)
_core.snapshot(folder + "/a")                       # works
if os.getuid() == 0:
    os.setuid(65534)                                # root may have any number of processes
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
try:
    _core.snapshot(folder + "/b")
    print("taken")
except _core.Error as e:
    print(e)
""")
    done = run([sys.executable, str(tmp_path / "app.py")], cwd="/")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the system refused a copy of this process for the snapshot: ")
