"""Snapshots of programs with everything in them, taken by a library that is built with AddressSanitizer and UBSan.

    snapshots.py memsure_record.so _core.so

Where Python's own allocator is malloc, each object is a block with forbidden ground around it, so a reader that looks beyond an object is
seen. The snapshot's process must end well, its file must be whole, the analysis in it is checked (MEMSURE_SNAPSHOT_CHECK), and no sanitizer
may say a word. Last, files that are damaged are asked (readers.py). Exit status 77 (skipped): this interpreter cannot run with the
sanitizers' libraries."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = r'''
import abc, array, ast, asyncio, codecs, collections, contextlib, contextvars, ctypes, dataclasses, datetime, decimal, enum, fractions, functools
import gc, io, itertools, json, mmap, operator, os, pickle, queue, random, re, struct, sys, tempfile, threading, time, types, typing, weakref
import xml.etree.ElementTree as ET
try:
    import sqlite3
except ImportError:
    sqlite3 = None
try:
    import numpy
except ImportError:
    numpy = None
from memsure import _core
name, fork = sys.argv[1], sys.argv[2] == "fork"
if name in ("line", "exact"):
    os.mkdir("live")
    _core.start("live", name, 10000)

class Plain: pass
class Slots: __slots__ = ("a", "b", "__weakref__")
class Both: __slots__ = ("a", "__dict__")
class L(list): pass
class D(dict): pass
class T(tuple): pass
class S(str): pass
class B(bytes): pass
class I(int): pass
class F(float): pass
class Set(set): pass
class Array(bytearray): pass
class Error(ValueError): pass
class Meta(type):
    def __call__(cls, *args): return super().__call__(*args)
class Made(metaclass=Meta): pass
class Color(enum.Enum): RED = 1; BLUE = "b"
@dataclasses.dataclass
class Row:
    a: int
    b: list = dataclasses.field(default_factory=list)
Point = collections.namedtuple("Point", "x y")
class Fields(ctypes.Structure): _fields_ = [("n", ctypes.c_int), ("o", ctypes.py_object), ("p", ctypes.POINTER(ctypes.c_int))]

def attributes(o, n=1):
    for i in range(n):
        setattr(o, f"a{i}", [i])
    return o
def generator(a):
    b = [a]
    yield b
    yield from generator(a)
async def waiting(): await asyncio.sleep(30)
async def agen():
    x = [1]
    yield x
@types.coroutine
def pause(): yield
async def paused():
    x = Plain()
    await pause()
def closure(x):
    def inner(): return x
    return inner
g = generator(1); next(g)
c = paused(); c.send(None)
ag = agen()
step = ag.asend(None)
try: step.send(None)
except StopIteration: pass
try:
    try: 1 / 0
    except ZeroDivisionError as e: raise Error("x") from e
except Error as e:
    error = e
    e.add_note("note")
cached = functools.lru_cache(maxsize=10)(lambda x: str(x) + "!")
unbounded = functools.lru_cache(maxsize=None)(lambda x: [x])
for i in range(15): cached(i), unbounded(i)
deleted = {i: i for i in range(1000)}
for i in range(900): del deleted[i]
many = [attributes(Plain(), i % 31) for i in range(300)]
dicts = [vars(attributes(Plain(), 3)) for i in range(5)]
grown = attributes(Plain(), 200)
circle = [attributes(Plain())]; circle.append(circle)
dead = [attributes(Plain())]; dead.append(dead); gc.disable(); del dead
fields = Fields(1, ["held"], None)
local = threading.local(); local.value = [1]
context = contextvars.Context(); var = contextvars.ContextVar("var", default=[1]); context.run(var.set, [2])
u = "h\xe9\xe9"; u.encode()
loop = asyncio.new_event_loop()
task = loop.create_task(waiting())
loop.call_soon(loop.stop); loop.run_forever()
done = threading.Event()
def thread(depth):
    local.value = [depth]
    if depth: return thread(depth - 1)
    frame = sys._getframe()
    for x in ("in", "a", "loop"):
        done.wait(30)
threads = [threading.Thread(target=thread, args=(i,), daemon=True) for i in range(3)]
for t in threads: t.start()
os.register_at_fork(before=Plain().__init__, after_in_child=Plain().__init__)
codecs.register_error("of-sanitized", lambda e: ("", e.end))
sys.addaudithook(lambda name, args, held=[1]: None)
gc.callbacks.append(lambda phase, info: None)
namespace = {}
exec("\n".join(f"def f{i}(a=[{i}], *, b={{}}): return a, b, {i} + a0" for i in range(50)) + "\na0 = 1", namespace)
KEEP = [attributes(k(v)) for k, v in [(L, [1, 2]), (D, {"a": 1}), (T, (1, 2)), (S, "h\xe9llo"), (S, "abc"), (S, "\U0001f600"), (I, 10**50), (I, 0), (B, b"abc"),
                                      (F, 1.5), (Set, [1]), (Array, b"x")]] + [
    Slots(), Both(), Made(), Color.RED, Row(1), Point(1, [2]), g, c, ag, step, error, cached, unbounded, deleted, many, dicts, grown, circle, fields, context, u, task,
    collections.deque(range(1000)), collections.deque(maxlen=3), collections.OrderedDict.fromkeys("abc"), collections.Counter("abc"),
    collections.defaultdict(list, a=[1]), collections.ChainMap({}, {}), array.array("d", range(100)), io.BytesIO(b"x" * 5000), io.StringIO("x"), datetime.datetime.now(),
    datetime.timezone.utc, decimal.Decimal("1.5"), fractions.Fraction(1, 3), re.compile("a(b|c)+"), re.match("(a)", "a"), range(10), range(10**30), memoryview(b"ab"),
    memoryview(memoryview(bytearray(9)))[2:], slice(1, [2]), -5, 10**100, 2**30, 2**60, 2j, "\xe9", "\u65e5", "\U0001f600" * 9, b"", "a" * 9999, frozenset(range(50)), set(range(9)), set(),
    {}, [], (), {i: i for i in range(99)}, {str(i): i for i in range(99)}, {(1, "a"): 2}, bytearray(b"abc"), bytearray(), bytearray(10**6), itertools.count(), itertools.chain([1], [2]),
    itertools.tee([1, 2]), itertools.groupby("aab"), itertools.product([1], [2]), types.SimpleNamespace(a=1), types.MappingProxyType({1: 2}), object(), property(), staticmethod(len),
    super(L, L()), enumerate([]), zip([1]), map(len, []), filter(None, [1]), iter([]), iter({}), iter(range(3)), iter(lambda: 1, 1), reversed([1]), functools.partial(len, "a"), len,
    operator.itemgetter(1, 2), operator.attrgetter("a.b"), operator.methodcaller("a", [1]), weakref.ref(Slots), weakref.WeakKeyDictionary({many[0]: 1}),
    weakref.WeakValueDictionary({1: many[1]}), weakref.ref(many[2], lambda r: None), weakref.proxy(many[3]), closure([1]), closure, namespace, sys._getframe(), ast.parse("a + b"),
    pickle.dumps(many[0].__dict__), mmap.mmap(-1, 4096), queue.SimpleQueue(), queue.Queue(), threading.Lock(), threading.RLock(), ET.fromstring("<a x='1'><b/>t</a>"), random.Random(1),
    struct.Struct("ii"), ctypes.create_string_buffer(100), ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1), typing.List[int], list[int], int | str, typing.TypeVar("V"), json.JSONEncoder(),
    tempfile.TemporaryFile(), type("Late", (Plain,), {"x": [1]}), NotImplemented, ..., sys.flags, os.stat("."), time.localtime()]
if sqlite3:
    base = sqlite3.connect(":memory:"); KEEP += [base, base.execute("select 1")]
if numpy:
    KEEP += [numpy.array([None, [1]], dtype=object)[::-1], numpy.zeros((3, 3)), numpy.zeros(3, dtype=[("n", "i4"), ("o", "O"), ("s", [("m", "i1"), ("p", "O")])]),
             numpy.frombuffer(bytearray(8), dtype="i4"), numpy.arange(10)[2:], numpy.float64(1)]
if sys.version_info >= (3, 12):
    exec("type Alias[V] = list[V]\ndef generic[V](x: V) -> V: return x\nclass Generic[V]: pass\nKEEP += [Alias, generic, Generic, Generic[int]]")
try:
    import _interpreters as interpreters
    sub = interpreters.create("legacy")
except ImportError:
    import _xxsubinterpreters as interpreters
    sub = interpreters.create(isolated=False)
(getattr(interpreters, "exec", None) or interpreters.run_string)(sub, "import sys\nclass InSub: pass\nsys.kept = [InSub() for i in range(9)]")

def take(i):
    _core.snapshot(f"{name}{i}.memsure", fork=fork, values=bool(i % 2))
[take(n) for n in range(3)]
_core.snapshot(f"{name}small.memsure", fork=fork, memory_limit=300_000)
sorted([3], key=take)
if len(sys.argv) > 3:                   # one after another: an allocation that fails
    first, step = map(int, sys.argv[3:])
    for n in range(first, 400, step):
        os.environ["MEMSURE_SNAPSHOT_FAIL"] = str(-n if n % 2 else n)
        try:
            _core.snapshot(f"{name}failed.memsure", fork=fork)
        except _core.Error as e:
            assert "memory" in str(e) and "without a word" not in str(e), e
    del os.environ["MEMSURE_SNAPSHOT_FAIL"]
    take(5)
done.set()
for t in threads: t.join()
assert [len(vars(a)) for a in many] == [i % 31 for i in range(300)]
interpreters.destroy(sub)
c.close(); task.cancel()
print("as ever")
'''


def library(name):
    compiler = shutil.which(os.environ.get("CC", "cc")) or "gcc"
    path = subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True).stdout.strip()
    return path if os.path.isabs(path) else None


def main(record, core):
    asan, ubsan = library("libasan.so"), library("libubsan.so")
    if not asan or not ubsan:
        print("the sanitizers' libraries are not there to be loaded into an interpreter")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        shutil.copytree(Path(__file__).resolve().parents[2] / "python" / "memsure", here / "memsure")
        for so in record, core:
            shutil.copy(so, here / "memsure")
        (here / "app.py").write_text(PROGRAM)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MEMSURE", "PYTHON", "LD_"))}
        options = f"detect_leaks=0:detect_stack_use_after_return=0:handle_segv=0:handle_abort=0:handle_sigfpe=0:log_path={here}/said"
        env |= {"LD_PRELOAD": f"{asan} {ubsan}", "PYTHONPATH": folder, "ASAN_OPTIONS": options, "UBSAN_OPTIONS": f"print_stacktrace=1:log_path={here}/said"}
        probe = subprocess.run([sys.executable, "-c", "pass"], env=env, capture_output=True, text=True)
        if probe.returncode:
            print(f"the interpreter does not start with the sanitizers: {probe.stderr[-300:]}")
            return 77
        runs = [  # name, arguments, environment
            ("blocks of malloc", ["malloc", "fork"], {"PYTHONMALLOC": "malloc", "MEMSURE_SNAPSHOT_CHECK": "1"}),
            ("in place, allocations fail", ["place", "here", "1", "9"], {}),
            ("allocations fail", ["fork", "fork", "5", "9"], {"PYTHONMALLOC": "malloc"}),
            ("recorded", ["line", "fork", "3", "40"], {}),
            ("recorded exactly, in place", ["exact", "here"], {}),
        ]
        (here / "damaged").mkdir()
        data = Path(__file__).resolve().parents[1] / "data"
        asked = ["damaged files", ["readers.py", "15", "damaged", str(data / "session-v1.memsure"), str(data / "snap-v1.memsure")], {}]
        shutil.copy(Path(__file__).with_name("readers.py"), here)
        failed = 0
        for name, words, more in [(name, ["app.py", *words], more) for name, words, more in runs] + [asked]:
            done = subprocess.run([sys.executable, *words], cwd=here, env=env | more, capture_output=True, text=True, timeout=600)
            said = "".join(p.read_text(errors="replace") for p in sorted(here.glob("said*")) if "ERROR" in (t := p.read_text(errors="replace")) or "runtime error" in t)
            bad = done.returncode != 0 or done.stdout != "as ever\n" or said or (words[0] == "app.py" and not (here / f"{words[1]}3.memsure").exists())
            print(f"{name}: {'FAILED, status %d' % done.returncode if bad else 'ok'}", flush=True)
            if bad:
                failed = 1
                print(done.stdout[-2000:], done.stderr[-3000:], said[:6000], sep="\n")
            for p in here.glob("said*"):
                p.unlink()
            shutil.rmtree(here / "live", ignore_errors=True)
        return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
