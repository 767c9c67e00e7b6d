"""What a snapshot says is exact: all objects are there, sizes are Python's own, retained sizes are what was built, and the ledger
of references finds what a C extension forgets to give back."""
import json
import shutil
import subprocess
import sys
import sysconfig
import textwrap

import pytest

from conftest import MEMSURE, run
from test_snapshot import SNAPSHOT, Snap, snapshot  # noqa: F401

from memsure.snap import Diff, Snapshot

BUILD = SNAPSHOT + """
def sizes(*objects):
    return sum(map(sys.getsizeof, objects))
class Dict:                                 # attributes in the instance or its dict
    pass
class Slots:
    __slots__ = ("a", "b")
def unique(n, k):
    return [f"{k} text number {i}" for i in range(n)]
"""


def built(tmp_path, source, recorded, *more):
    """Run source, which defines holders = {name: (holder, bytes it should retain)}; gives [(name, Snap, node, said)]."""
    (tmp_path / "app.py").write_text(BUILD + textwrap.dedent(source) + textwrap.dedent("""
    facts = {name: (id(holder), said) for name, (holder, said) in holders.items()}
    for name in list(facts): holders[name] = holders[name][0]
    import gc; gc.collect()
    memsure.snapshot(sys.argv[1])
    print(json.dumps(facts | {"shares": globals().get("shares")}))
    """))
    command = [str(tmp_path / "app.py"), str(tmp_path / "s.memsure")]
    done = run([*MEMSURE, "run", "-q", "-o", str(tmp_path / "r.memsure"), *command] if recorded else [sys.executable, *command])
    assert done.returncode == 0, done.stderr
    s = Snap(tmp_path / "s.memsure")
    facts = json.loads(done.stdout)
    return s, {name: (s.at[fact[0]], fact[1]) for name, fact in facts.items() if name != "shares"} | {"shares": facts.get("shares")}


@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
def test_retained_sizes_are_those_that_were_built(tmp_path, recorded):
    s, facts = built(tmp_path, """
    holders = {}
    texts = unique(500, "a")
    holders["strings"] = texts, sizes(texts, *texts)

    pairs = [(i + 10**6, str(i) * 3) for i in range(10, 310)]
    holders["tuples"] = pairs, sizes(pairs) + sum(sizes(p, *p) for p in pairs)

    instances = []
    for i in range(200):
        d = Dict(); d.x = f"x of {i}"; d.y = [i + 10**6]
        instances.append(d)
    holders["instances"] = instances, sizes(instances) + sum(sizes(d, d.x, d.y, *d.y) for d in instances)

    slots = []
    for i in range(200):
        o = Slots(); o.a = f"slot {i}"; o.b = i * 1.5
        slots.append(o)
    holders["slots"] = slots, sizes(slots) + sum(sizes(o, o.a, o.b) for o in slots)

    shared = unique(50, "shared")
    left, right = [shared, "only left " * 3 + str(len(shared))], [shared, "only right " * 3 + str(len(shared))]
    both = [left, right]
    shares = [sizes(left, left[1]), sizes(right, right[1])]         # what two share is neither's
    holders["both"] = both, sizes(both, left, right, left[1], right[1], shared, *shared)

    chain = None
    total = 0
    for i in range(20000):
        chain = [chain]
        total += sys.getsizeof(chain)
    holders["chain"] = chain, total

    ring = [[] for i in range(100)]
    for i in range(100):
        ring[i].append(ring[i - 1])
    knot = [ring[0]]
    holders["ring"] = knot, sizes(knot, *ring)
    del ring

    table = {f"key {i}": f"value {i}" for i in range(300)}
    holders["dict"] = table, sizes(table, *table, *table.values())
    group = set(unique(300, "member"))
    holders["set"] = group, sizes(group, *group)

    def closure(n):
        held = unique(n, "held")
        return lambda: held
    f = closure(40)
    holders["closure"] = f, sizes(f, f.__closure__, f.__closure__[0], f(), *f())

    def generator(n):
        local = unique(n, "local")
        yield
        print(local)
    g = generator(30); next(g)
    local = g.gi_frame.f_locals["local"]
    extra = g.gi_frame
    inner = sizes(local, *local)
    holders["local of a generator"] = local, inner
    del left, right, shared, d, o, i, knot, pairs, texts, instances, slots, chain, table, group, f, g, extra
    """, recorded)
    both, shares = facts["both"][0], facts.pop("shares")
    assert len(facts) == 11
    assert [s.retained[t][1] for _, _, t in s.edges(both)] == shares
    got = {name: s.retained.get(node, (0, s.said(node)))[1] for name, (node, said) in facts.items()}
    assert got == {name: said for name, (node, said) in facts.items()}


@pytest.mark.slow
@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
def test_a_chain_of_a_million_is_exact(tmp_path, recorded):
    s, facts = built(tmp_path, """
    class Link: __slots__ = ("next", "value")
    def grown(make, n):
        chain, said = None, 0
        for i in range(n):
            chain = make(chain, i)
            said += sys.getsizeof(chain)
        return chain, said
    def link(chain, i):
        l = Link(); l.next = chain; l.value = None
        return l
    holders = {"links": grown(link, 10**6), "tuples": grown(lambda chain, i: (chain, None), 10**6)}
    """, recorded)
    facts.pop("shares")
    assert {name: s.retained[node][1] for name, (node, said) in facts.items()} == {name: said for name, (node, said) in facts.items()}
    assert min(said for _, said in facts.values()) >= 32 * 10**6


@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
def test_allocated_bytes_are_the_slots(tmp_path, recorded):
    s, facts = built(tmp_path, """
    row = [None] * 100                     # 56 + 800
    text = "x" * 199 + str(len(row))
    holders = {"list": (row, 0), "text": (text, 0), "dict": ({i: None for i in range(50)}, 0)}
    """, recorded)
    node = facts["list"][0]
    table = {"list": (56, 800), "text": (sys.getsizeof("x" * 202), 0)}

    def room(size):
        if recorded:                        # the slot of memsure's heap: what is asked for and 8 bytes, in its classes
            classes = [16 * n for n in range(1, 33)] + [640, 768, 896, 1024, 1280, 1536, 1792, 2032, 2560]
            return next(c for c in classes if c >= size + 8) - 8
        return (size + 15) // 16 * 16 if size <= 512 else (size + 23) // 16 * 16 - 8
    for name, parts in table.items():
        node = facts[name][0]
        assert s.allocated(node) == sum(room(p) for p in parts if p), name
    assert s.allocated(facts["dict"][0]) > s.said(facts["dict"][0]) - 16


CLOSURE = """
import collections, array, io, functools, datetime, decimal, re, types, enum, dataclasses, itertools, weakref, contextvars, gc
class L(list): pass
class D(dict): pass
class T(tuple): pass
class S(str): pass
class I(int): pass
class Q: __slots__ = ("a", "b", "__weakref__")
class P: __slots__ = ("a", "__dict__")
def with_attributes(o):
    o.x = [1]
    return o
def generator(a):
    yield a
g = generator(1); next(g)
try:
    1 / 0
except ZeroDivisionError as e:
    error = e
cached = functools.lru_cache(maxsize=10)(lambda x: str(x) + "!")
for i in range(5): cached(i)
deleted = {i: i for i in range(1000)}
for i in range(900): del deleted[i]
KEEP = [with_attributes(c(v)) for c, v in [(L, [1, 2]), (D, {"a": 1}), (T, (1, 2)), (S, "h\\xe9llo"), (S, "abc"), (I, 10**50)]] + [
    Q(), P(), g, error, cached, deleted, collections.deque(range(1000)), collections.deque(), collections.OrderedDict.fromkeys("abc"),
    collections.Counter("abc"), collections.defaultdict(list, a=[1]), array.array("d", range(100)), io.BytesIO(b"x" * 5000),
    datetime.datetime.now(), decimal.Decimal("1.5"), re.compile("a+b"), contextvars.ContextVar("v"), range(10), range(10**30), memoryview(b"ab"),
    slice(1, 2), 0, 1, -5, 10**100, 2**30, 2**60, True, None, "\\xe9", "\\u65e5\\u672c", "\\U0001f600" * 9, "", b"", "a" * 999, 1.5, 2j,
    frozenset(range(50)), set(range(9)), set(), {}, [], (), {i: i for i in range(99)}, {str(i): i for i in range(99)}, bytearray(b"abc"),
    bytearray(), itertools.count(), itertools.chain([1], [2]), types.SimpleNamespace(a=1), object(), property(), staticmethod(len),
    super(L, L()), enumerate([]), zip(), map(len, []), iter([]), iter({}), iter(range(3)), functools.partial(len, "a"), len, KEEP_TYPE if 0 else int,
    types.MappingProxyType({}), weakref.ref(Q), (lambda: g).__closure__, (lambda: 1).__code__, generator]
u = "h\\xe9\\xe9"; u.encode(); KEEP.append(u)
gc.collect(); gc.disable()
seen, work = {}, [*gc.get_objects(), *KEEP]
while work:
    o = work.pop()
    if id(o) not in seen and o is not seen and o is not work:
        seen[id(o)] = o
        work.extend(gc.get_referents(o))
        if isinstance(o, types.CodeType):
            work += [o.co_consts, o.co_names, o.co_filename, o.co_name, o.co_qualname, o.co_linetable]
        elif type(o) is dict:
            work.extend(o)
del o, work
memsure.snapshot(sys.argv[1])
kinds = {id(o): f"{type(o).__module__}.{type(o).__qualname__}" for o in seen.values()}
WITHOUT = ("_ctypes", "builtins.StgDict", "_io.Buffered", "builtins.dict_")
def size(o):
    try:
        return type(o).__sizeof__(o) if 0 else sys.getsizeof(o)
    except Exception:
        return None
print(json.dumps([[where, kinds[where], size(o)] for where, o in seen.items() if not isinstance(o, dict) or o is not globals()]))
"""


@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
def test_every_object_is_there_with_its_size(tmp_path, recorded):
    (tmp_path / "app.py").write_text(SNAPSHOT + CLOSURE)
    command = [str(tmp_path / "app.py"), str(tmp_path / "s.memsure")]
    done = run([*MEMSURE, "run", "-q", "-o", str(tmp_path / "r.memsure"), *command] if recorded else [sys.executable, *command])
    assert done.returncode == 0, done.stderr
    s = Snap(tmp_path / "s.memsure")
    rows = json.loads(done.stdout)
    assert len(rows) > 15000
    missing = [(kind, size) for where, kind, size in rows if where not in s.at]
    assert len(missing) <= 3, missing[:20]           # ints that the walk itself made
    wrong = {}
    for where, kind, size in rows:
        if where in s.at and size is not None and kind != "builtins.frame" and s.said(s.at[where]) != size:
            if s.type(s.at[where]).rpartition(".")[2] == kind.rpartition(".")[2] and not kind.startswith(("_io.Buffered", "builtins.dict")):
                wrong.setdefault(kind, []).append((size, s.said(s.at[where])))
    assert wrong == {}
    assert len(s.unexplained) < 0.003 * s.objects, s.unexplained
    if recorded:
        assert s.column("raw", "blocks")


# ---- a C extension ------------------------------------------------------------------------------------

EXTENSION = r"""
#include <Python.h>
static PyObject *give(PyObject *self, PyObject *o) { Py_INCREF(o); Py_INCREF(o); return o; }       /* forgets a decref */
static PyObject *give_right(PyObject *self, PyObject *o) { Py_INCREF(o); return o; }

typedef struct { PyObject_HEAD PyObject *held; int how; } thing;
static int how_all;
static int thing_traverse(thing *t, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(t));
    if (how_all == 1) *(volatile int *)8 = 1;
    while (how_all == 2) __asm__ volatile("" ::: "memory");
    Py_VISIT(t->held);
    return 0;
}
static int thing_clear(thing *t) { Py_CLEAR(t->held); return 0; }
static void thing_dealloc(thing *t)
{
    PyTypeObject *type = Py_TYPE(t);
    PyObject_GC_UnTrack(t);
    Py_CLEAR(t->held);
    type->tp_free(t);
    Py_DECREF(type);
}
static int thing_init(thing *t, PyObject *args, PyObject *kw)
{
    PyObject *held;
    if (!PyArg_ParseTuple(args, "O", &held)) return -1;
    Py_INCREF(held);
    t->held = held;
    return 0;
}
static PyType_Slot slots[] = {{Py_tp_traverse, thing_traverse}, {Py_tp_clear, thing_clear}, {Py_tp_dealloc, thing_dealloc}, {Py_tp_init, thing_init}, {0, NULL}};
static PyType_Spec spec = {"leaky.Thing", sizeof(thing), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};
static PyObject *be(PyObject *self, PyObject *o) { how_all = (int)PyLong_AsLong(o); Py_RETURN_NONE; }
static PyObject *hide(PyObject *self, PyObject *o) { static PyObject *kept[1000]; static int n; Py_INCREF(o); kept[n++] = o; Py_RETURN_NONE; }
static PyMethodDef methods[] = {{"give", give, METH_O, ""}, {"give_right", give_right, METH_O, ""}, {"be", be, METH_O, ""}, {"hide", hide, METH_O, ""}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "leaky", NULL, -1, methods};
PyMODINIT_FUNC PyInit_leaky(void)
{
    PyObject *m = PyModule_Create(&module);
    if (m) PyModule_AddObject(m, "Thing", PyType_FromSpec(&spec));
    return m;
}
"""


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    """A folder with the extension module leaky."""
    cc = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if cc is None:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("leaky")
    (folder / "leaky.c").write_text(EXTENSION)
    done = subprocess.run([cc, "-shared", "-fPIC", "-O1", "-w", f"-I{sysconfig.get_path('include')}", "-o", str(folder / "leaky.so"),
                           str(folder / "leaky.c")], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no extension can be built: {done.stderr[-300:]}")
    return folder


@pytest.mark.parametrize("give, found", [("give", 100), ("give_right", 0)])
def test_a_forgotten_decref_is_found_after_100_calls(tmp_path, leaky, give, found):
    (tmp_path / "app.py").write_text(textwrap.dedent(f"""
    import gc, sys
    sys.path.insert(0, {str(leaky)!r})
    import leaky, memsure
    class Thing:
        pass
    def make():
        return Thing()          # site: make
    for i in range(3):
        leaky.give_right(make())
    memsure.snapshot(sys.argv[1] + "a")
    for i in range(100):
        leaky.{give}(make())
    memsure.snapshot(sys.argv[1] + "b")
    """).lstrip("\n"))
    done = run([*MEMSURE, "run", "-q", "-o", str(tmp_path / "r.memsure"), str(tmp_path / "app.py"), str(tmp_path / "s")])
    assert done.returncode == 0, done.stderr
    a, b = (Snapshot.open(str(tmp_path / name)) for name in ("sa", "sb"))
    grown = {(name, site.line): refs for name, site, refs, *_ in Diff(a, b).references() if refs > 2}
    assert grown == ({("__main__.Thing", 7): found} if found else {})


def test_a_type_whose_traversal_crashes_or_hangs_costs_that_type_only(tmp_path, leaky):
    for how in 1, 2:
        (tmp_path / "app.py").write_text(textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(leaky)!r})
        import gc, leaky, memsure
        gc.disable()
        things = [leaky.Thing(["held", i]) for i in range(5)]
        class After:
            pass
        after = After()
        leaky.be({how})
        memsure.snapshot(sys.argv[1])
        leaky.be(0)
        print(id(things[0]), id(after), id(things[0]))
        """))
        done = run([sys.executable, str(tmp_path / "app.py"), str(tmp_path / "s.memsure")])
        assert done.returncode == 0, done.stderr
        s = Snap(tmp_path / "s.memsure")
        thing, after, _ = map(int, done.stdout.split())
        assert json.loads(s.info["skipped_types"]) == ["leaky.Thing"]
        assert len(s.of_type("leaky.Thing")) == 5 and s.at[after]
        assert s.column("types", "flags")[s.shape_type[s.shape[s.at[thing]]]] & 64
        assert s.info["complete"] == "1"
