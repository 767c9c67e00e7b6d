"""Programs whose memory is known beforehand, met to the block.

The unit of most programs is `S()`, an instance of a class with slots: one block, on every version, never from a type's
free list. The collector is off in them: each of its runs makes two strings (the phase that its callbacks are
told), and they belong to the line at which it happens to run. Where a number follows from the interpreter's own habits (an instance with a dict, a dict's key table), the
test says which. A line's number stands in its comment: `# site: NAME 500` (see conftest.py).

The bytes of a block are those that it occupies, so they are compared with what was requested within the rounding of
the size classes: BYTES below.
"""

import os
import sys
from collections import Counter

import pytest

from conftest import check_planned, check_sums, dedent, site_marks

VERSION = sys.version_info[:2]

S = """
import gc
gc.disable()
class S:
    __slots__ = ("a",)
"""


def assert_bytes(figure, requested, blocks=1):
    """Between what was requested and what a size class may add to it."""
    assert requested <= figure <= requested * 1.25 + 32 * blocks, (figure, requested, blocks)


def assert_born(rec, mark, n, *types, slack=2000, function=None):
    """`n` blocks were born in the line; fewer only if the recording says that it undercounts one of the types."""
    got = rec.at(mark, function).allocated_blocks
    if rec.one.undercounted & set(types):
        assert n - slack <= got <= n, (mark, got, n)
    else:
        assert got == n, (mark, got, n)


# --- kinds of objects ------------------------------------------------------------------------------------------------


def test_objects_kept(record):
    n = 5000
    rec = record(f"""
        import gc
        gc.disable()
        class S:
            __slots__ = ("a",)
        class Plain:
            pass
        def make(n):
            a = [None] * n                      # site: spine
            b, c, d, e, f, g, h, k = (a[:] for _ in range(8))
            for i in range(n):                  # site: ints
                a[i] = S()                      # site: slots {n}
                b[i] = (i, n)                   # site: tuples
                c[i] = Plain()                  # site: instances
                d[i] = {{}}                     # site: empty_dicts
                e[i] = {{"k": i}}               # site: dicts
                f[i] = []                       # site: empty_lists
                g[i] = [i, i, i]                # site: lists
                h[i] = BYTES * 100              # site: bytes {n}
                k[i] = ARRAY * 100              # site: bytearrays {2 * n}
            return a, b, c, d, e, f, g, h, k
        BYTES, ARRAY = b"x", bytearray(b"x")
        keep = make({n})
        """)
    check_planned(rec)
    assert_born(rec, "tuples", n, "tuple")
    assert_born(rec, "empty_dicts", n, "dict", slack=80)
    assert_born(rec, "dicts", 2 * n, "dict", slack=160)         # the dict and its key table
    assert_born(rec, "empty_lists", n, "list", slack=80)
    assert_born(rec, "lists", 2 * n, "list", slack=80)          # the list and its items
    # Up to 3.12 an instance's values are a block of their own, later they lie in the instance.
    assert rec.at("instances").allocated_blocks == (n if VERSION >= (3, 13) else 2 * n)
    for mark in ("slots", "tuples", "instances", "dicts", "lists", "bytes", "bytearrays"):
        f = rec.at(mark)
        assert f.freed_blocks == 0 and f.live_blocks == f.allocated_blocks, (mark, f)
        assert f.live_bytes == f.allocated_bytes, (mark, f)
        assert f.functions == {"make"}
    assert_bytes(rec.at("slots").live_bytes, 40 * n, n)         # 16 collector, 16 head, 8 slot
    assert_bytes(rec.at("bytes").live_bytes, 133 * n, n)
    assert_bytes(rec.at("bytearrays").live_bytes, (56 + 101) * n, 2 * n)
    assert rec.at("spine").live_blocks in ((1, 2) if "list" in rec.one.undercounted else (2,))
    assert_bytes(rec.at("spine").live_bytes, n * 8 + 56, 2)
    check_sums(rec.one)


@pytest.mark.parametrize("length", [300, 4000, 100_000])
def test_list_grown_by_realloc(record, length):
    """A growing list is one living block; each move to another size class is a death and a birth in this line."""
    rec = record(f"""
        import sys
        def grow(n):
            x = []
            old, steps = sys.getsizeof(x), 0
            for i in range(n):
                x.append(None)                  # site: append
                if sys.getsizeof(x) != old:
                    old, steps = sys.getsizeof(x), steps + 1
            return x, steps, old
        x, steps, size = grow({length})
        print(steps, size)
        """)
    steps, size = map(int, rec.stdout.split())
    f = rec.at("append")
    assert f.live_blocks == 1 and f.freed_blocks == f.allocated_blocks - 1, f
    assert_bytes(f.live_bytes, size - 56)
    assert 1 <= f.allocated_blocks <= steps, (f, steps)
    # No size class is wider than a doubling, so there are at least as many births as doublings.
    assert f.allocated_blocks >= min(size - 56, 32768).bit_length() - 5, f
    check_sums(rec.one)


def test_bytearray_grown_elsewhere(record):
    """A block that moved belongs to the line that moved it, a block that was freed is gone from both."""
    rec = record("""
        def make():
            return [bytearray(50) for _ in range(100)]   # site: born
        def grow(xs):
            for x in xs:
                x.extend(FAT)                            # site: moved
        FAT = bytes(5000)
        xs = make()
        grow(xs)
        """)
    born, moved = rec.at("born"), rec.at("moved")
    assert moved.live_blocks == 100
    assert_bytes(moved.live_bytes, 100 * 5051, 100 + 100 * 30)      # a bytearray may reserve an eighth more
    assert born.freed_blocks >= 100 and born.live_blocks <= 102, born
    check_sums(rec.one)


def test_sizes_from_33_bytes_to_64_mb(record):
    """One line, blocks of every power of two and its neighbours."""
    sizes = [(1 << k) + d for k in range(5, 27) for d in (-1, 0, 1)]
    rec = record(f"""
        def hold(sizes):
            out = [None] * len(sizes)
            for i, k in enumerate(sizes):
                out[i] = ONE * k                  # site: held {len(sizes)}
            return out
        def drop(sizes):
            for k in sizes:
                ONE * k                           # site: dropped {len(sizes)}
        ONE, sizes = b"x", {sizes}
        keep = hold(sizes)
        drop(sizes)
        """)
    check_planned(rec)
    held, dropped = rec.at("held"), rec.at("dropped")
    total = sum(sizes) + 33 * len(sizes)
    assert_bytes(held.live_bytes, total, len(sizes))
    assert held.peak_blocks == len(sizes)
    assert dropped.freed_blocks == len(sizes) and dropped.live_bytes == 0
    assert dropped.allocated_bytes == held.allocated_bytes == dropped.freed_bytes
    check_sums(rec.one)


RAW = """
import ctypes
api = ctypes.pythonapi
def use(domain):
    malloc, realloc, free = (getattr(api, f"{domain}_{f}") for f in ("Malloc", "Realloc", "Free"))
    malloc.restype = realloc.restype = ctypes.c_void_p
    malloc.argtypes, realloc.argtypes, free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p, ctypes.c_size_t], [ctypes.c_void_p]
    return malloc, realloc, free
"""


@pytest.mark.parametrize("domain", ["PyMem", "PyObject", "PyMem_Raw"])
@pytest.mark.parametrize("size", [1, 100, 10_000, 1_000_000])
def test_raw_blocks(record, domain, size):
    """Blocks taken straight from an allocator domain: born in one line, some of them freed in another."""
    rec = record(RAW.replace("{domain}_{f}", "{domain}{f}") + f"""
malloc, realloc, free = use({domain + ("" if domain == "PyMem_Raw" else "_")!r})
def leak():
    for _ in range(50):
        malloc({size})                   # site: leak
def turn():
    for _ in range(40):
        p = malloc({size})               # site: turn
        free(p)
leak()
turn()
""")
    leak, turn = rec.at("leak"), rec.at("turn")
    # What ctypes made on the way is gone again, but for an int that a free list may hold.
    assert leak.live_blocks - ("int" in rec.one.undercounted) <= 50 <= leak.live_blocks, leak
    assert_bytes(leak.live_bytes, 50 * size, 50)
    assert turn.live_blocks <= ("int" in rec.one.undercounted) and turn.freed_blocks >= 40, turn
    assert turn.freed_bytes >= 40 * size
    check_sums(rec.one)


def test_realloc_within_and_across_classes(record):
    rec = record(RAW.replace("{domain}_{f}", "{domain}{f}") + """
malloc, realloc, free = use("PyObject_")
def stay():
    for i in range(1000):
        realloc(p, 100 + i % 2)          # site: stay
def zero():
    realloc(q, 0)                        # site: zero
p = malloc(101)                          # site: first
q = malloc(200)
keep = realloc(malloc(64), 4000)         # site: moved
stay()
zero()
""")
    stay, moved = rec.at("stay"), rec.at("moved")
    assert stay.live_blocks == 0, stay          # the same block: it still belongs to the line that made it
    assert_bytes(rec.at("first").live_bytes, 101 + 32, 2)       # with the int that p is
    assert 2 - ("int" in rec.one.undercounted) <= moved.live_blocks <= 2, moved     # the block, and the int `keep`
    assert_bytes(moved.live_bytes, 4000, 2)
    assert rec.at("zero").live_blocks <= 1 + ("int" in rec.one.undercounted)        # realloc(x, 0) gives a block of its own, or the same
    check_sums(rec.one)


def test_one_gigabyte_untouched(record):
    """calloc of 1 GB: recorded in full, and not a page of it touched by the recorder."""
    rec = record("""
        def make():
            return bytes(1 << 30)         # site: big
        x = make()
        """)
    f = rec.at("big")
    assert f.live_blocks == 1 and f.peak_blocks in (1, 2)           # some versions hold a word of their own meanwhile
    assert_bytes(f.live_bytes, 1 << 30)
    assert rec.one.number("peak_bytes") >= 1 << 30
    if "peak_rss_bytes" in rec.info:
        assert rec.one.number("peak_rss_bytes") < 300 << 20
    check_sums(rec.one)


# --- kinds of code ---------------------------------------------------------------------------------------------------


def test_generators(record):
    rec = record(S + """
def gen(n):                               # site: generator
    for _ in range(n):
        yield S()                         # site: yielded 600
def spread(gens):
    for _ in range(20):
        for g in gens:
            next(g)                       # site: next 0
    for g in gens:                        # to the end: a generator dropped half-way has an exception thrown into it
        assert next(g, 0) == 0
async def coro(x):                        # site: coroutine
    x.append(S())
spread([gen(20) for _ in range(30)])
cs = [coro(0) for _ in range(40)]
for c in cs:
    c.close()
""")
    check_planned(rec)
    assert rec.at("yielded").freed_blocks == 600
    assert rec.at("yielded").functions == {"gen"}
    assert rec.at("generator", "gen").allocated_blocks == 30       # made by the called function itself, in its first line
    assert rec.at("coroutine", "coro").live_blocks == 40


def test_comprehensions(record):
    rec = record(S + """
def same(x): return x                     # so that the container's own growth happens in another line
def make(n):
    a = [
        same(
            S()                           # site: in_list 100
        ) for _ in range(n)
    ]
    b = {
        k:
        same(
            S()                           # site: in_dict 100
        ) for k in range(n)
    }
    c = {
        same(
            S()                           # site: in_set 100
        ) for k in range(n)
    }
    d = list(
        S()                               # site: in_genexpr 100
        for k in range(n)
    )
    e = [
        [
            same(
                S()                       # site: nested 1000
            ) for _ in range(n)
        ] for _ in range(10)
    ]
    return a, b, c, d, e
keep = make(100)
""")
    check_planned(rec)
    inlined = VERSION >= (3, 12)
    assert rec.at("in_list", "make" if inlined else "<listcomp>").allocated_blocks == 100
    assert rec.at("in_dict", "make" if inlined else "<dictcomp>").allocated_blocks == 100
    assert rec.at("nested", "make" if inlined else "<listcomp>").allocated_blocks == 1000
    assert rec.at("in_genexpr", "<genexpr>").allocated_blocks == 100


def test_threads(record):
    rec = record(S + """
import threading
keep, ONE = [], b"x"
def work(n):
    out = [None] * n
    for i in range(n):
        out[i] = S()                      # site: kept 11000
        S()                               # site: dropped 11000
        ONE * 70_000                      # site: large 11000
    keep.append(out)
def churn(n):                             # freed by another thread than the one that made them
    out = [None] * n
    for i in range(n):
        out[i] = S()                      # site: crossing 4000
    keep.append(out)
ts = [threading.Thread(target=work, args=(n,), name=f"worker-{n}") for n in (2000, 2500, 3000, 3500)]
ts += [threading.Thread(target=churn, args=(1000,)) for _ in range(4)]
for t in ts: t.start()
for t in ts: t.join()
keep = [k for k in keep if len(k) != 1000]
""")
    check_planned(rec)
    assert rec.at("kept").live_blocks == rec.at("kept").peak_blocks == 11000
    assert rec.at("dropped").freed_blocks == rec.at("large").freed_blocks == 11000
    assert rec.at("crossing").freed_blocks == 4000
    check_sums(rec.one)


def test_deep_recursion(record):
    rec = record(S + """
import sys
sys.setrecursionlimit(20_000)
def down(k, keep):
    s = S()                               # site: level 9001
    if k:
        down(k - 1, keep)
    S()                                   # site: up 9001
down(9000, [])
def fib(n):
    S()                                   # site: fib 21891
    return n if n < 2 else fib(n - 1) + fib(n - 2)
fib(20)
def endless():
    s = S()                               # site: endless
    return endless()
try:
    sys.setrecursionlimit(3000)
    endless()
except RecursionError:
    print("caught")
""")
    assert rec.stdout == "caught\n"
    check_planned(rec)
    assert rec.at("level").peak_blocks <= 9001 and rec.at("level").live_blocks == 0
    assert 2900 <= rec.at("endless").allocated_blocks


def test_exceptions(record):
    rec = record(S + """
class E(Exception):
    __slots__ = ()
def fail():
    s = S()                               # site: local 300
    raise E                               # site: raised
def catch(n):
    kept = None
    for _ in range(n):
        try:
            fail()
        except E as e:
            S()                           # site: handler 300
        finally:
            S()                           # site: finally_ 300
catch(300)
""")
    check_planned(rec)
    f = rec.at("raised")
    assert f.allocated_blocks == f.freed_blocks == 900, f       # the exception, its traceback, the frame's object
    assert rec.at("local").freed_blocks == 300


def test_a_block_that_looks_like_a_code_object(record):
    """Sampled raw memory whose second word is the type of code objects is not taken for one when it dies."""
    rec = record("""
        import types
        for i in range(3000):
            [i, types.CodeType, None]                 # its items: raw memory
        print("done")
        """, env={"MEMSURE_SAMPLE_BYTES": "1"}, timeout=60)
    assert rec.stdout == "done\n"


def test_a_limit_beyond_all_memory(record):
    """RLIMIT_AS one below infinity limits nothing."""
    rec = record("""
        import ctypes, resource
        libc = ctypes.CDLL(None, use_errno=True)  # the resource module of some versions takes it as -2, of others as 2**64 - 2
        limits = (ctypes.c_uint64 * 2)(2**64 - 2, 2**64 - 2)
        assert libc.setrlimit(resource.RLIMIT_AS, limits) == 0, ctypes.get_errno()
        limits[:] = [1, 1]
        assert libc.getrlimit(resource.RLIMIT_AS, limits) == 0 and limits[:] == [2**64 - 2] * 2, limits[:]
        print(len(tuple(range(1_000_000))))
        """)
    assert rec.stdout == "1000000\n"


def test_execed_code(record):
    """2,000 modules made, run and freed one after the other, so that their code lies at the same addresses again."""
    rec = record(S + """
def one(i):
    source = "\\n" * (i % 50) + "out[i] = S()"
    exec(compile(source, f"/planted/m{i}.py", "exec"), {"out": out, "i": i, "S": S})
out = [None] * 2000
for i in range(2000):
    one(i)
""")
    found = Counter()
    for s in rec.one.sites:
        if s["file"].startswith("/planted/"):
            # S() is the only allocation of these modules but for what exec itself makes in their first line
            assert s["function"] == "<module>", s
            found[s["file"], s["line"]] += s["live_blocks"]
    expected = {(f"/planted/m{i}.py", i % 50 + 1): 1 for i in range(2000)}
    assert {k: n for k, n in found.items() if n} == expected


def test_functions_that_die(record):
    """Functions of one file, made anew again and again, each line with a number of its own."""
    rec = record(S + """
def one(i):
    source = "\\n" * i + "def f():\\n    S()\\n    S(); S()\\n"
    d = {"S": S}
    exec(compile(source, f"/planted/f{i % 3}.py", "exec"), d)
    for _ in range(i + 1):
        d["f"]()
for again in range(30):
    for i in range(20):
        one(i)
""")
    expected = Counter()
    for i in range(20):
        expected[f"/planted/f{i % 3}.py", i + 2] += 30 * (i + 1)
        expected[f"/planted/f{i % 3}.py", i + 3] += 30 * 2 * (i + 1)
    found = Counter()
    for s in rec.one.sites:
        if s["file"].startswith("/planted/") and s["function"] == "f":
            found[s["file"], s["line"]] += s["allocated_blocks"]
    assert found == expected


def test_places_are_met_in_any_order(record):
    """The location table of a code object is read on from where the last search in it ended: forth, back, and for several at a time."""
    rec = record(S + """
import random
N = 150
source = "def f(i):\\n" + "".join(f"    if i == {k}:\\n        S(); [S(),\\n            S()] ; S()\\n" for k in range(N))
orders = [list(range(N)), list(range(N))[::-1], random.Random(1).sample(range(N), N), random.Random(2).sample(range(N), N)]
functions = []
for n in range(len(orders)):
    d = {"S": S}
    exec(compile(source, f"/planted/f{n}.py", "exec"), d)
    functions.append(d["f"])
for turn in range(N):
    for f, order in zip(functions, orders):
        f(order[turn])
for i in range(40):                 # the next has the address of the last, and goes on from further back
    d = {"S": S}
    exec(compile("\\n" * i + "def g(late):\\n    if late:\\n        S()\\n    else:\\n        S()\\n", "/planted/g.py", "exec"), d)
    d["g"](i % 2 == 0)
""")
    found = Counter()
    for s in rec.one.sites:
        if s["file"].startswith("/planted/") and s["function"] == "f":
            found[s["file"], s["line"], s["column"]] += s["allocated_blocks"]
    for n in range(4):
        for k in range(150):
            places = {column: blocks for (file, line, column), blocks in found.items() if (file, line) == (f"/planted/f{n}.py", 3 * k + 3)}
            assert {8: 1, 14: 1}.items() <= places.items(), (n, k, places)
            places = {column: blocks for (file, line, column), blocks in found.items() if (file, line) == (f"/planted/f{n}.py", 3 * k + 4)}
            assert places == {12: 1, 19: 1}, (n, k, places)
    assert {s["line"]: s["allocated_blocks"] for s in rec.one.sites if s["function"] == "g"} == {i + 3 if i % 2 == 0 else i + 5: 1 for i in range(40)}


def test_callbacks_from_c(record):
    rec = record(S + """
import re, functools, ctypes, bisect
def key(x):
    S()                                   # site: key 500
    return x
def mapped(x):
    return S()                            # site: mapped 400
def sub(m):
    S()                                   # site: sub 300
    return ""
def add(a, b):
    S()                                   # site: reduce 199
    return a
def compare(a, b):
    S()                                   # site: compare
    return a[0] - b[0]
class K:
    def __lt__(self, other):
        S()                               # site: lt 99
        return False
    def __hash__(self):
        S()                               # site: hash 100
        return 1
    def __eq__(self, other):
        S()                               # site: eq
        return self is other
sorted(range(500), key=key)
keep = list(map(mapped, range(400)))
re.sub("a", sub, "ab" * 300)
functools.reduce(add, range(200))
ks = [K() for _ in range(100)]
sorted(ks)
len(set(ks))
array = (ctypes.c_int * 50)(*range(50, 0, -1))
kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
ctypes.CDLL(None).qsort(array, 50, 4, kind(compare))
assert list(array) == list(range(1, 51))
""")
    check_planned(rec)
    assert rec.at("mapped").live_blocks == 400
    assert rec.at("compare").allocated_blocks >= 49
    assert rec.at("eq").allocated_blocks >= 99


def test_finalizers(record):
    rec = record(S + """
import gc, weakref
gc.disable()
class Final:
    __slots__ = ("me", "__weakref__")
    def __del__(self):
        saved.append(S())                 # site: final_slots
        s = S()                           # site: in_del 300
def gone(ref):
    S()                                   # site: callback 200
saved = []
def by_count():
    for _ in range(100):
        Final()                           # site: counted 100
def by_collector():
    for _ in range(200):
        f = Final()                       # site: cyclic 200
        f.me = f
        refs.append(weakref.ref(f, gone))
refs = []
by_count()
by_collector()
f = None
gc.collect()
""")
    check_planned(rec)
    assert rec.at("in_del").functions == {"Final.__del__"} or rec.at("in_del", "__del__").allocated_blocks == 300
    assert rec.at("cyclic").freed_blocks == rec.at("cyclic").gc_freed_blocks == 200
    assert rec.at("counted").freed_blocks == 100 and rec.at("counted").gc_freed_blocks == 0


def test_imported_module(record, tmp_path):
    module = dedent("""
        class S:
            __slots__ = ("a",)
        def late(n):
            return [S() for _ in range(n)]    # site: late 70
        KEPT = [S() for _ in range(40)]       # site: at_import
        """)
    (tmp_path / "planted_module.py").write_text(module)
    rec = record("""
        import planted_module
        keep = planted_module.late(70)
        """)
    marks = site_marks(module)
    at_import = rec.one.line("planted_module.py", marks["at_import"][0])
    late = rec.one.line("planted_module.py", marks["late"][0])
    assert at_import.allocated_blocks >= 41 and at_import.flags & 4, at_import
    # 70 and the list with its items, which grow by realloc
    assert late.live_blocks == 72 - ("list" in rec.one.undercounted) * (late.live_blocks == 71) and not late.flags & 4, late


def test_line_numbers(record):
    rec = record(S + '''
def wrap(*xs): return None
def passed(f): return f
class Ctx:
    __slots__ = ()
    def __init__(self, x): pass
    def __enter__(self):
        return S()                                # site: enter 20
    def __exit__(self, *why):
        S()                                       # site: exit 20
def deco(x): return passed
class Point:
    __match_args__ = ("x",)
    def __init__(self, x): self.x = x
def main(flag):
    wrap(
        S(),                                      # site: first 10
        S(), S(),                                 # site: second 20
        *[
            S()                                   # site: star
        ],
    )
    x = (1 if
         S()                                      # site: condition 10
         else
         S())                                     # site: otherwise 0
    y = wrap or \\
        S()                                       # site: never 0
    if flag \\
            and S() \\
            and S():                              # site: anded 10
        while S():                                # site: while_ 10
            break
    try:
        S()                                       # site: try_ 10
    finally:
        S()                                       # site: finally_ 10
    try:
        raise KeyError
    except (S and KeyError):
        S()                                       # site: except_ 10
    else:
        S()                                       # site: else_ 0
    with Ctx(
        S()                                       # site: with_argument 10
    ) as c, passed(
        Ctx(0)
    ):
        S()                                       # site: with_body 10
    match point:
        case Point(0):
            S()                                   # site: case_0 0
        case Point(x=1) if (
            S()                                   # site: guard 10
        ):
            S()                                   # site: case_1 10
    if (z := S()):                                # site: walrus 10
        pass
    lam = lambda: (
        S()                                       # site: lambda_ 10
    )
    lam()
    assert S()                                    # site: assert_ 10
    wrap(None
        ).__class__.__init__.__class__; S()       # site: after_semicolon 10
    return S()                                    # site: return_ 10
point = Point(1)
for _ in range(10):
    main(True)
@deco(S())                                        # site: decorator 1
@deco(
    S()                                           # site: decorator2 1
)
def decorated(x=
    None): pass
''')
    check_planned(rec)
    # The position is that of the call: (line, end_line, column, end_column), counted in bytes from 0
    for mark in ("first", "try_", "return_"):
        line = rec.marks[mark][0]
        text = rec.source.splitlines()[line - 1]
        column = text.index("S()")
        assert rec.at(mark).spans == {(line, line, column, column + 3)}, mark
    line = rec.marks["second"][0]
    assert {s[2] for s in rec.at("second").spans} == {8, 13}
    assert rec.at("star").allocated_blocks >= (10 if VERSION >= (3, 14) else 11) - len(rec.one.undercounted)


def test_async_code(record):
    rec = record(S + """
import asyncio
def same(x): return x
async def tick(n):
    for _ in range(n):
        await asyncio.sleep(0)
        S()                                       # site: tick 500
async def numbers(n):
    for i in range(n):
        s = S()                                   # site: anext 60
        yield s
async def main():
    await asyncio.gather(*(tick(50) for _ in range(10)))
    out = [
        same(
            S()                                   # site: async_comp 60
        ) async for _ in numbers(60)
    ]
    async with Ctx():
        S()                                       # site: body 1
class Ctx:
    async def __aenter__(self):
        return S()                                # site: aenter 1
    async def __aexit__(self, *why):
        S()                                       # site: aexit 1
asyncio.run(main())
""")
    check_planned(rec)


INTERPRETER = """
import gc
gc.disable()
class S:
    __slots__ = ("a",)
def work(n):
    keep = [None] * n
    for i in range(n):
        keep[i] = S()
        S()
    return keep
keep = work(COUNT)
for _ in range(20):
    work(COUNT)
"""


@pytest.mark.skipif(VERSION < (3, 12), reason="before 3.12 all interpreters share one GIL")
def test_subinterpreters_at_once(record):
    """Three interpreters with a GIL of their own, in threads at the same time."""
    rec = record("""
        import sys, threading
        if sys.version_info < (3, 13):
            import _xxsubinterpreters as interpreters
            create = lambda: interpreters.create(isolated=True)
            run = interpreters.run_string
        else:
            import _interpreters as interpreters
            create = interpreters.create
            run = interpreters.exec
        SOURCE = {INTERPRETER!r}
        def go(i):
            source = SOURCE.replace("COUNT", str(1000 * (i + 1)))
            r = run(ids[i], f"exec(compile({source!r}, '/planted/interpreter{i}.py', 'exec'))")
            assert r is None, r
        ids = [create() for _ in range(3)]
        ts = [threading.Thread(target=go, args=(i,)) for i in range(3)]
        for t in ts: t.start()
        for t in ts: t.join()
        for i in ids: interpreters.destroy(i)
        print("done")
        """.replace("{INTERPRETER!r}", repr(INTERPRETER)))
    assert rec.stdout == "done\n" and "Traceback" not in rec.stderr, rec.stderr
    found = Counter()
    for s in rec.one.sites:
        if s["file"].startswith("/planted/interpreter") and s["line"] in (9, 10):
            assert s["function"] == "work"
            found[s["file"][-4], s["line"]] += s["allocated_blocks"]
            assert s["live_blocks"] == 0, s         # the interpreters are gone
    assert found == {(str(i), line): 21_000 * (i + 1) for i in range(3) for line in (9, 10)}
    check_sums(rec.one)


def test_subinterpreters_share_objects_with_nobody(record):
    """Interpreters made and destroyed one after the other: everything they made dies with them."""
    if VERSION < (3, 13):
        module = "_xxsubinterpreters"
    else:
        module = "_interpreters"
    rec = record(f"""
        import {module} as interpreters, sys
        run = getattr(interpreters, "run_string")
        for k in range(8):
            me = interpreters.create()
            run(me, "exec(compile('class S: __slots__ = ()\\\\nkeep = [S() for _ in range(200)]', '/planted/x.py', 'exec'))")
            interpreters.destroy(me)
        print("done")
        """)
    assert rec.stdout == "done\n" and "Traceback" not in rec.stderr
    f = rec.one.line("/planted/x.py", 2)
    assert 8 * 200 <= f.allocated_blocks <= 8 * 230, f     # 200, and a growing list
    assert f.live_blocks == 0, f


# --- free lists ------------------------------------------------------------------------------------------------------


def free_list_program(statements, n):
    body = "".join(f"def f{k}(n):\n    for i in range(n):\n        x = {s}    # site: {m}\n"
                   for k, (m, s) in enumerate(statements.items()))
    calls = "".join(f"f{k}({n})\n" for k in range(len(statements)))
    return "import gc\ngc.disable()\nclass C:\n    def m(self): pass\n    __slots__ = ()\nc = C()\n" + body + calls


def test_free_list_births_tuples(record):
    """A tuple that comes from the free list of its length is a birth as any other."""
    n = 3000
    statements = {f"tuple{k}": f"({'i, ' * k})" for k in range(21)}
    rec = record(free_list_program(statements, n))
    assert rec.at("tuple0").allocated_blocks == 0           # there is one empty tuple
    for k in range(1, 21):
        assert_born(rec, f"tuple{k}", n, "tuple", slack=n)
        if "tuple" not in rec.one.undercounted:
            assert_bytes(rec.at(f"tuple{k}").allocated_bytes, n * (40 + 8 * k), n)
    check_sums(rec.one)


def test_free_list_births_others(record):
    n = 3000
    rec = record(free_list_program({
        "float": "float(i)", "list": "[]", "full_list": "[i]", "dict": "{}", "full_dict": "{'a': i}",
        "slice": "slice(i, None)", "method": "c.m", "range_iterator": "iter(range(i))", "object": "object()",
    }, n))
    for mark, count, *types in (
        ("float", n, "float"), ("list", n, "list"), ("full_list", 2 * n, "list"), ("dict", n, "dict"),
        ("full_dict", 2 * n, "dict"), ("slice", 2 * n, "slice"), ("method", n, "method"), ("object", n, "object"),
    ):
        assert_born(rec, mark, count, *types, slack=count)
    check_sums(rec.one)


@pytest.mark.skipif(VERSION > (3, 14), reason="newer versions may reuse an int in place")
def test_ints(record):
    n = 3000
    rec = record(free_list_program({"int": "i * 1000003", "small": "i & 255"}, n))
    f = rec.at("int")
    if "int" not in rec.one.undercounted:
        assert f.allocated_blocks == f.freed_blocks + f.live_blocks == n - 1        # 0 * x is one of the small ints
    assert rec.at("small").allocated_blocks == 0


def test_a_recycled_object_has_the_new_line(record):
    """An object taken from a free list belongs to the line that took it, not to the one that filled the list."""
    rec = record("""
        def fill(n):
            return [float(i) for i in range(n)]     # site: filled
        def use(n):
            return [float(i) for i in range(n)]     # site: used
        x = fill(90)
        x = None
        y = use(90)
        """)
    assert rec.at("filled").live_blocks == 0 or rec.one.undercounted & {"float", "list"}
    if not rec.one.undercounted & {"float", "list"}:
        assert rec.at("used").live_blocks == 92


# --- life and death --------------------------------------------------------------------------------------------------


def test_freed_by_the_collector(record):
    rec = record(S + """
import gc
ONE = b"x"
gc.collect()
gc.disable()
def cycles(n):
    for _ in range(n):
        s = S()                                   # site: cycles 4000
        s.a = s
def pairs(n):
    for _ in range(n):
        a, b = S(), S()                           # site: pairs 2000
        a.a, b.a = b, a
def plain(n):
    for _ in range(n):
        S()                                       # site: plain 1000
def hung(n):
    for _ in range(n):
        s = S()                                   # site: holder 500
        s.a = [s, ONE * 100]                      # site: hung
cycles(4000)
pairs(1000)
hung(500)
before = gc.collect()
print(before)
plain(1000)
""")
    assert rec.stdout == "7000\n"
    check_planned(rec)
    for mark, n in (("cycles", 4000), ("pairs", 2000), ("holder", 500)):
        f = rec.at(mark)
        assert f.gc_freed_blocks == f.freed_blocks == n, (mark, f)
        assert f.gc_freed_bytes == f.freed_bytes == f.allocated_bytes, (mark, f)
    hung = rec.at("hung")
    assert hung.gc_freed_blocks == hung.freed_blocks == hung.allocated_blocks
    assert hung.gc_freed_blocks == 1500 or "list" in rec.one.undercounted
    assert rec.at("plain").gc_freed_blocks == 0 and rec.at("plain").freed_blocks == 1000
    full = [c for c in rec.one.rows("collections") if c["collected"] == 7000]
    assert len(full) == 1 and full[0]["uncollectable"] == 0 and full[0]["generation"] == 2, full
    freed = sum(rec.at(m).freed_bytes for m in ("cycles", "pairs", "holder", "hung"))
    assert full[0]["reclaimed_bytes"] == pytest.approx(freed, abs=4096)


def test_temporaries_and_lifetimes(record):
    rec = record(S + """
import time
def quick(n):
    for _ in range(n):
        S()                                       # site: quick 20000
def slow(n, seconds):
    out = [None] * n
    for i in range(n):
        out[i] = S()                              # site: slow 300
    time.sleep(seconds)
def kept(n):
    return [S() for _ in range(n)]                # site: kept
keep = kept(100)
quick(20000)
slow(300, 0.35)
""")
    check_planned(rec)
    quick, slow, kept = rec.at("quick"), rec.at("slow"), rec.at("kept")
    assert quick.freed_blocks == 20000 and quick.temporary_blocks >= 19_800
    assert quick.lifetimes[0] == quick.temporary_blocks
    assert quick.temporary_bytes / quick.temporary_blocks == quick.freed_bytes / quick.freed_blocks
    assert slow.freed_blocks == 300 and slow.temporary_blocks == 0
    # 35 epochs: 32 to 63 (bucket 6), a little more room for a loaded machine whose clock ticks late or early
    assert sum(slow.lifetimes[5:8]) == 300, slow.lifetimes
    assert kept.temporary_blocks <= 20          # what the growing list left behind
    check_sums(rec.one)


def test_live_at_the_end_is_before_finalization(record):
    rec = record(S + """
import atexit
def make(n):
    return [S() for _ in range(n)]                # site: held
held = make(1000)
class Last:
    def __del__(self):
        more.append(S())
more = []
last = Last()
def bye():
    held.append(1)
atexit.register(bye)
""")
    assert rec.at("held").live_blocks in (1001, 1002)
    check_sums(rec.one)


def test_the_peak_is_in_the_middle(record):
    n = 20_000
    rec = record(S + f"""
def base(n):
    out = [None] * n
    for i in range(n):
        out[i] = S()                              # site: base {n}
    return out
def wave(n):
    out = [None] * n
    for i in range(n):
        out[i] = S()                              # site: wave {3 * n}
    return out
def crest(n):
    out = [None] * n
    for i in range(n):
        out[i] = S()                              # site: crest {n}
    return out
def later(n):
    out = [None] * n
    for i in range(n):
        out[i] = S()                              # site: later {n // 2}
    return out
keep = base({n})
for _ in range(2):
    wave({n})
x = wave({n})
y = crest({n})
del x, y
keep2 = later({n // 2})
""")
    check_planned(rec)
    base, wave, crest, later = (rec.at(m) for m in ("base", "wave", "crest", "later"))
    # Before the last object is born there are as many bytes, in two numbers: of moments with as much, the first is the peak.
    assert base.peak_blocks == wave.peak_blocks == n and crest.peak_blocks in (n - 1, n)
    assert base.peak_bytes == wave.peak_bytes == base.live_bytes
    assert later.peak_blocks == 0 and later.live_blocks == n // 2
    check_sums(rec.one)
    assert rec.one.number("peak_bytes") >= 3 * n * (40 + 8)


def test_a_peak_that_is_reached_again(record):
    """Two lines that hold as much, by turns: the peak is that of one of them."""
    rec = record(S + """
ONE = b"x"
def one():
    block = ONE * 5_000_000                       # site: one 50
def other():
    block = ONE * 5_000_000                       # site: other 50
for _ in range(50):
    one()
    other()
""")
    check_planned(rec)
    assert rec.at("one").peak_blocks + rec.at("other").peak_blocks == 1
    assert rec.at("one").live_blocks == rec.at("other").live_blocks == 0
    check_sums(rec.one)


def test_lines_that_allocate_in_another_order_than_they_stand(record):
    rec = record(S + "".join(f"def f{k}(late):\n    for turn in range(9):\n" + "".join(
        f"        if turn == (late + {step}) % 9:\n            S()" + " " * 30 + f"# site: f{k}_{step} 1\n" for step in range(9))
        + f"f{k}({k})\n" for k in range(9)))
    check_planned(rec)
    check_sums(rec.one)


def test_the_peak_at_the_very_end(record):
    rec = record(S + """
ONE = b"x"
keep = [S() for _ in range(5000)]                 # site: kept
big = ONE * 10_000_000                            # site: big 1
""")
    check_planned(rec)
    assert rec.at("big").peak_blocks == 1 and rec.at("kept").peak_blocks >= 5000
    check_sums(rec.one)


def test_the_peak_of_many_short_waves(record):
    """Two thousand growing waves: each is a new peak, the last one counts."""
    rec = record(S + """
from itertools import repeat
def wave(n):
    return [S() for _ in repeat(None, n)]         # site: wave
for k in range(1, 2000, 7):
    wave(k)
last = wave(2100)
del last
for k in range(1, 2000, 97):
    wave(k)
""")
    f = rec.at("wave")
    # With the list, its items and the repeat; before 3.12 a comprehension is a function, too.
    assert 2101 <= f.peak_blocks <= (2103 if sys.version_info >= (3, 12) else 2104)
    check_sums(rec.one)


def test_blocks_that_never_die_by_exit(record):
    """os._exit: nothing is torn down, everything that lived is in the recording."""
    rec = record(S + """
import os
keep = [S() for _ in range(3000)]                 # site: kept
os._exit(0)
""")
    assert rec.at("kept").live_blocks in (3001, 3002, 3003)         # the list, its items, and what a version adds
    check_sums(rec.one)


def test_births_over_time(record):
    """A line that makes blocks all along has a curve that rises to its total; its last point is the end."""
    rec = record(S + """
import time
keep = []
for _ in range(40):
    keep.append([bytes(20_000) for _ in range(50)])     # site: growing
    time.sleep(0.02)
""")
    p = rec.one
    points = list(p.column("curve_points", "t_ns"))
    assert len(points) >= 5 and points == sorted(points)
    line = rec.marks["growing"][0]
    live, made = [0] * len(points), [0] * len(points)
    rows = list(p.column("curves", "site"))
    lives, mades = list(p.column("curves", "live_bytes")), list(p.column("curves", "allocated_bytes"))
    for row, site in enumerate(rows):
        s = p.sites[site]
        if s["line"] == line and os.path.basename(s["file"]) == rec.name:
            span = slice(row * len(points), (row + 1) * len(points))
            live = [a + b for a, b in zip(live, lives[span])]
            made = [a + b for a, b in zip(made, mades[span])]
    f = rec.at("growing")
    assert made == sorted(made)
    assert made[-1] == pytest.approx(f.allocated_bytes, rel=0.1)
    assert live[-1] == pytest.approx(f.live_bytes, rel=0.1)
    half = live[len(live) // 2]
    assert 0.25 * f.live_bytes < half < 0.75 * f.live_bytes, live


def test_exact_stacks(record):
    """--exact: every block has its path, and the paths of a line add up to the line."""
    rec = record(S + """
def leaf():
    return S()                                    # site: leaf 60
def one(): return leaf()                          # site: one
def two(): return leaf()                          # site: two
def deep(k): return deep(k - 1) if k else leaf()  # site: deep
for _ in range(10): one()
for _ in range(20): two()
for _ in range(30): deep(40)
""", "--exact")
    check_planned(rec)
    p = rec.one
    nodes = p.rows("nodes")
    made = Counter()
    for k, node in enumerate(nodes):
        site = p.sites[node["site"]]
        if k and site["line"] == rec.marks["leaf"][0] and site["function"] == "leaf":
            parent = p.sites[nodes[node["parent"]]["site"]]["line"]
            made[parent] += node["allocated_blocks"]
            assert node["variance"] == 0
    assert made == {rec.marks[m][0]: n for m, n in (("one", 10), ("two", 20), ("deep", 30))}
    assert sum(n["allocated_bytes"] for n in nodes) == pytest.approx(p.number("allocated_bytes"), abs=1)


# --- several things at once ------------------------------------------------------------------------------------------


def test_threads_while_the_collector_waits(record):
    """A finalizer gives the GIL away in the midst of a collection: what others free meanwhile is not the collector's."""
    rec = record(S + """
import gc, threading
gc.disable()
class Final:
    def __del__(self):
        started.set(); done.wait()
def others():
    started.wait()
    a = [None] * 3000
    for i in range(3000):
        a[i] = S()                        # site: others 3000
    a.clear()
    done.set()
def circle():
    for i in range(500):
        s = S(); s.a = s                  # site: circles 500
    f = Final(); f.me = f
started, done = threading.Event(), threading.Event()
thread = threading.Thread(target=others)
thread.start()
circle()
gc.collect()
thread.join()
""")
    check_planned(rec)
    others, circles = rec.at("others"), rec.at("circles")
    assert (others.freed_blocks, others.gc_freed_blocks) == (3000, 0)
    assert (circles.freed_blocks, circles.gc_freed_blocks) == (500, 500)
    check_sums(rec.one)


def test_generators_closed_by_the_collector(record):
    rec = record(S + """
import gc
gc.disable()
def gen(held):
    s = S()                               # site: inside 200
    try:
        yield s
    finally:
        s = S()                           # site: closing 200
        saved[held[0]] = s
def make():
    for i in range(200):
        held = [i]
        g = gen(held)
        next(g)
        held.append(g)                    # the generator's frame holds what holds it
saved = [None] * 200
make()
gc.collect()
""")
    check_planned(rec)
    assert rec.at("inside").gc_freed_blocks == 200 and rec.at("inside").live_blocks == 0
    assert rec.at("closing").live_blocks == 200 and rec.at("closing").gc_freed_blocks == 0


def test_exceptions_raised_again_in_other_threads(record):
    """A traceback holds the locals of every frame it went through, in whatever thread that was."""
    rec = record(S + """
import threading
caught = []
def fail():
    s = S()                               # site: first 50
    raise ValueError
def again(e):
    s = S()                               # site: again 150
    raise e
def catch(f, *args):
    try:
        f(*args)
    except ValueError as e:
        caught.append(e)
for _ in range(50):
    catch(fail)
    for _ in range(3):
        thread = threading.Thread(target=catch, args=(again, caught.pop()))
        thread.start(); thread.join()
half = caught[25:]
del caught[25:]
while caught: caught.pop().__traceback__ = None
thread = None
""")
    check_planned(rec)
    assert rec.at("first").live_blocks == 25 and rec.at("again").live_blocks == 75


def test_code_that_moves_to_other_lines(record):
    """The same code under another line, another file, over and over, at addresses that others had."""
    rec = record(S + """
def f():
    for _ in range(3):
        S()
def run(i):
    code = f.__code__.replace(co_firstlineno=1000 + i % 50 * 10, co_filename=f"/planted/moved{i % 4}.py")
    exec(code, {"S": S})
for i in range(1000): run(i)
""")
    made = Counter()
    for s in rec.one.sites:
        if s["file"].startswith("/planted/moved") and s["line"] % 10 == 2:
            made[s["file"], s["line"]] += s["allocated_blocks"]
    assert made == Counter({(f"/planted/moved{i % 4}.py", 1002 + i % 50 * 10): 3 * 10 for i in range(1000)})


def test_contexts(record):
    rec = record(S + """
import contextvars
var = contextvars.ContextVar("var", default=None)
def inside():
    s = S()                               # site: set 300
    var.set(s)
    S()                                   # site: dropped 300
kept = []
for i in range(300):
    c = contextvars.copy_context()
    c.run(inside)
    if i % 3 == 0: kept.append(c)
c = None
""")
    check_planned(rec)
    assert rec.at("set").live_blocks == 100 and rec.at("dropped").live_blocks == 0


def test_signal_handlers_and_trace_functions(record):
    """Python that the interpreter calls between two bytecodes of a program's line keeps its own line."""
    rec = record(S + """
import os, signal, sys
keep = {"handler": [], "program": [], "tracer": [], "traced": []}
lists = [[None] * 201 for _ in range(4)]
for name, k in zip(keep, lists): keep[name] = (iter(range(201)), k)
def put(name, s):
    n, k = keep[name]
    k[next(n)] = s
def handler(*args):
    put("handler", S())                        # site: handler 100
signal.signal(signal.SIGUSR1, handler)
def loop():
    for _ in range(100):
        put("program", S())                    # site: program 100
        os.kill(os.getpid(), signal.SIGUSR1)
loop()
def tracer(frame, event, arg):
    if event == "line" and frame.f_code.co_name == "traced":
        put("tracer", S())                    # site: tracer 201
    return tracer
def traced():
    for _ in range(100):
        put("traced", S())                    # site: traced 100
sys.settrace(tracer)
traced()
sys.settrace(None)
""")
    check_planned(rec)
    assert all(rec.at(m).live_blocks == n for m, n in (("handler", 100), ("program", 100), ("tracer", 201), ("traced", 100)))


def test_fork_in_a_thread(record):
    """The child goes on from the thread that forked; what the other threads' frames held stays alive in it."""
    rec = record(S + """
import os, threading, warnings
warnings.simplefilter("ignore")
keep = [None] * 3000
for i in range(2000):
    keep[i] = S()                         # site: before 2000
ready, stop = threading.Event(), threading.Event()
def other():
    held = S()                            # site: held 1
    ready.set(); stop.wait()
def forks():
    ready.wait()
    pid = os.fork()
    if pid == 0:
        for i in range(500):
            keep[i] = S()                 # site: child
        print(os.getpid(), flush=True)
        os._exit(0)
    for i in range(700):
        keep[2000 + i] = S()              # site: parent 700
    os.waitpid(pid, 0)
    stop.set()
threads = [threading.Thread(target=f) for f in (other, forks)]
for t in threads: t.start()
for t in threads: t.join()
""")
    line = {mark: n for mark, (n, _) in rec.marks.items()}
    child, = rec.of_pid(int(rec.stdout))
    parent, = (p for p in rec.processes if p is not child)
    at = lambda process, mark: process.line("app.py", line[mark])
    assert at(parent, "before").allocated_blocks == at(parent, "before").live_blocks == 2000
    assert (at(parent, "parent").live_blocks, at(parent, "child").allocated_blocks, at(parent, "held").allocated_blocks) == (700, 0, 1)
    assert (at(child, "before").inherited_blocks, at(child, "before").freed_blocks) == (2000, 500)
    assert (at(child, "child").live_blocks, at(child, "parent").allocated_blocks, at(child, "held").live_blocks) == (500, 0, 1)
    for process in rec.processes:
        check_sums(process)


def test_greenlets(record):
    """Stacks that are switched in C: each allocation stands at the line that runs."""
    pytest.importorskip("greenlet")
    rec = record(S + """
from greenlet import greenlet
keep, n = [None] * 600, iter(range(600))
def put(s): keep[next(n)] = s
def deep(n): return deep(n - 1) if n else one.switch()
def two_():
    while True:
        put(S())                          # site: two 300
        deep(20)
def one_():
    for _ in range(300):
        two.switch()
        put(S())                          # site: one 300
one, two = greenlet(one_), greenlet(two_)
one.switch()
""", "--exact", env={"MEMSURE_VERIFY": "1"})
    check_planned(rec)
    assert rec.one.number("path_checked") > 600 and rec.one.number("path_wrong") == 0


@pytest.mark.parametrize("mode", [[], ["--exact"]], ids=["line", "exact"])
def test_lines_that_found_no_room_are_recorded_when_there_is_some(mode, record):
    """Without a free descriptor the tables cannot grow: what is born meanwhile is told as having no record, and nothing for good."""
    rec = record(S + dedent("""
        import os, resource, time
        live = next(text.split()[-1] for text in open("/proc/self/maps") if text.endswith(".live\\n"))
        code = compile("\\n".join(["S()"] * 9000), "made.py", "exec")
        least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, most))
        exec(code)
        resource.setrlimit(resource.RLIMIT_NOFILE, (least, most))
        before = os.stat(live).st_blocks * 512
        for tries in range(1000):
            if os.stat(live).st_blocks * 512 > before + 200_000:
                break
            S()
            time.sleep(0.02)
        else:
            raise SystemExit("no table grew")
        exec(code)
        """), *mode)
    made = Counter()
    for s in rec.one.sites:
        made[s["line"] if s["file"] == "made.py" else s["file"]] += s["allocated_blocks"]
    born = [made[line] for line in range(1, 9001)]
    assert set(born) == {1, 2} and sorted(born, reverse=True) == born
    assert 0 <= made["(no room for a record)"] - (18_000 - sum(born)) < 5000
    check_sums(rec.one)


@pytest.mark.parametrize("depth", [12, 17])
def test_the_tree_of_a_recursive_program_is_bounded(record, depth):
    """fib: paths are folded, so the tree is as large as the text, however deep and often it is called."""
    rec = record(f"""
        def fib(n):
            x = [n]
            return n if n < 2 else fib(n - 1) + fib(n - 2)
        fib({depth})
        """, "--exact")
    fib = [n for n in rec.one.rows("nodes") if rec.one.sites[n["site"]]["function"] == "fib"]
    assert 0 < len(fib) < 600, len(fib)
