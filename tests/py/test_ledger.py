"""References that nobody owns: a C extension that forgets one decref per call is found from two snapshots after 100 calls, by its
type, the line of birth and 100 references; its correct twin is silent. All kinds of such faults, recorded or not."""

import array
import collections
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from conftest import MEMSURE, clean_env
from test_snapshot import Snap

from memsure.snap import Diff, Snapshot

CALLS = 100

# function -> what it is called with, the type that is lost, the line that made it: None: the line of the call
KINDS = {
    "fresh": ("THING", "tuple", None),
    "shared": ("SHARED", "__main__.Shared", "SHARED ="),
    "built": ("THING", "list", None),
    "set_item": ("THING", "float", None),
    "append": ("THING", "bytes", None),
    "store": ("THING", "complex", None),
    "error": ("THING", "set", None),
    "inside": ("THING", "dict", None),
    "attribute": ("THING", "bytearray", "held ="),
    "type": ("THING", "type", "class Thing"),
    "call": ("Made", "__main__.Made", None),
    "iterate": ("NAMES", "list_iterator", None),
    "number": ("THING", "int", None),
    "module": ("THING", "module", ""),
    "fetched": ("THING", "ArithmeticError", None),
}
if sys.version_info < (3, 12):      # they are immortal since then
    KINDS |= {"none": ("THING", "NoneType", ""), "true": ("THING", "bool", "")}

HEAD = """
import sys, colorsys
sys.path.insert(0, sys.argv[1])
import leaks, memsure
class Thing:
    held = bytearray(b"held by a class")
class Shared: pass
class Made: pass
class Kept: pass
THING, NAMES = Thing(), ["a", "b"]
SHARED = Shared()
"""


@pytest.fixture(scope="module")
def leaks(tmp_path_factory):
    """A folder with the extension module."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("leaks")
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O2", f"-I{sysconfig.get_path('include')}", str(Path(__file__).with_name("leaks.c")),
                           "-o", str(folder / f"leaks{sysconfig.get_config_var('EXT_SUFFIX')}")], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the extension cannot be built: {done.stderr[:200]}")
    return folder


def run(source, folder, here, recorded):
    """Modules are compiled beforehand, into a folder of the tests' own: what a compiler leaves in memory may look like references."""
    env = clean_env({"PYTHONPYCACHEPREFIX": str(folder / "compiled")})
    del env["PYTHONDONTWRITEBYTECODE"]
    if not (folder / "compiled").exists():
        (here / "first.py").write_text("import colorsys, sys, memsure\nmemsure.snapshot('first.memsure')\n")
        for words in [sys.executable], [*MEMSURE, "run", "-q", "--snapshot=none", "-o", "first-run.memsure"]:
            subprocess.run([*words, "first.py"], env=env, cwd=here, check=True, timeout=120)
    (here / "app.py").write_text(source)
    words = [*MEMSURE, "run", "-q", "--snapshot=none", "-o", "run.memsure"] if recorded else [sys.executable]
    done = subprocess.run([*words, "app.py", str(folder)], env=env, cwd=here, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return lambda name: Snapshot.open(str(here / f"{name}.memsure"))


def calls(suffix):
    """A function that calls each one n times, each in a line of its own."""
    lines = [f"def work{suffix}(n):"]
    for name, (arg, *_) in KINDS.items():
        lines.append(f"    for i in range(n): leaks.{name}{suffix}({arg})")
        if name == "error":
            lines[-1:] = ["    for i in range(n):", "        try:", f"            leaks.{name}{suffix}({arg})", "        except TypeError: pass"]
    return "\n".join([*lines, ""])


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "plain"])
def test_each_kind_of_forgotten_reference_is_told_to_the_last_one(recorded, leaks, tmp_path):
    source = HEAD + calls("") + calls("_right") + f"""
work(3), work_right(3)
memsure.snapshot("a.memsure")
work_right({CALLS})
memsure.snapshot("b.memsure")
work({CALLS})
memsure.snapshot("c.memsure")
work_right({CALLS})
memsure.snapshot("d.memsure")
"""
    opened = run(source, leaks, tmp_path, recorded)
    a, b, c, d = (opened(n) for n in "abcd")
    for before, after in (a, b), (c, d):        # the correct twins
        assert [r for r in Diff(before, after).references() if r[2] >= Diff.LEAST_REFS] == []
    found = {name: (refs, site) for name, site, refs, *_ in Diff(b, c).references() if refs >= Diff.LEAST_REFS}
    assert {name: refs for name, (refs, _) in found.items()} == {kind: CALLS for _, kind, _ in KINDS.values()}
    lines = source.splitlines()
    for name, (arg, kind, born) in KINDS.items():
        text = f"leaks.{name}({arg})" if born is None else born
        if recorded and text:
            (line,) = [i for i, words in enumerate(lines, 1) if text in words]
            assert found[kind][1].place == f"app.py:{line}" or found[kind][1].place.endswith(f"/app.py:{line}"), (name, found[kind][1].place)


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "plain"])
@pytest.mark.parametrize("where", ["keep", "keep_in_heap"])
def test_what_c_code_keeps_is_not_lost(where, recorded, leaks, tmp_path):
    opened = run(HEAD + f"""
leaks.{where}(SHARED)
memsure.snapshot("a.memsure")
for i in range({CALLS}):
    leaks.{where}(SHARED)
    leaks.{where}(Kept())
memsure.snapshot("b.memsure")
for i in range({CALLS}):
    leaks.{where}(SHARED)
    leaks.{where}(Kept())
    leaks.shared(THING)
    leaks.fresh(THING)
memsure.snapshot("c.memsure")
""", leaks, tmp_path, recorded)
    a, b, c = (opened(n) for n in "abc")
    assert [r for r in Diff(a, b).references() if r[2] >= Diff.LEAST_REFS] == []
    assert {r[0]: r[2] for r in Diff(b, c).references() if r[2] >= Diff.LEAST_REFS} == {"__main__.Thing": CALLS, "tuple": CALLS}


WHERE = {
    "in a call of a call": "memsure.snapshot(str(len(str(sorted([name], key=lambda n: n)[0]))) and name)",
    "in a comprehension": "[memsure.snapshot(n) for n in [name] if n]",
    "under C code": "sorted([name], key=memsure.snapshot)",
    "in a loop that unpacks": "\n    for a, (b, *c) in [(1, (name, 3, 4))]:\n        x = {1: (a, [b, memsure.snapshot(b)])}",
    "in a handler": "\n    try:\n        raise KeyError(name)\n    except KeyError as e:\n        memsure.snapshot(e.args[0])\n    finally:\n        pass",
    "at the end of with": "\n    with Context(name):\n        pass",
    "in a generator": "list(generated(name))",
    "in a coroutine": "\n    try:\n        awaited(name).send(None)\n    except StopIteration:\n        pass",
    "in an operator": "Context(name) + 1",
    "with many arguments": "memsure.snapshot(*[name], **{'values': bool(len(name) > 10 ** 6 if 1 < 2 < len(name) else 0)})",
}


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "plain"])
def test_what_earlier_calls_left_on_stacks_is_no_reference(recorded, leaks, tmp_path):
    source = HEAD + """
class Context:
    def __init__(self, name): self.name = name
    def __enter__(self): return self
    def __exit__(self, *exc): memsure.snapshot(self.name)
    def __add__(self, other): memsure.snapshot(self.name)
def generated(name):
    yield 1
    with memsure_lock:
        yield memsure.snapshot(name)
async def awaited(name):
    for i in range(1): await asleep(memsure.snapshot(name))
async def asleep(x): return x
import threading
memsure_lock = threading.Lock()
def deep(n, *things): # fills the room of frames to come
    (lambda a, b, c, d: (leaks.shared_right(a), [a, b, c, d]))(*things[:4])
    if n: deep(n - 1, *things)
"""
    for i, words in enumerate(WHERE.values()):
        source += f"class Lost{i}: pass\ndef take{i}(name, one=None):\n    if one is not None: leaks.shared_right(one)\n    {words}\n"
    source += f"""
for i in range({len(WHERE)}):
    take, one = globals()["take%d" % i], globals()["Lost%d" % i]()
    leaks.keep(one)
    deep(20, *[one] * 8)
    take("a%d" % i)
    for k in range({CALLS}): leaks.shared(one)
    deep(20, *[one] * 8)
    take("b%d" % i, one)
"""
    run(source, leaks, tmp_path, recorded)
    for i, words in enumerate(WHERE):
        a, b = (Snapshot.open(str(tmp_path / f"{n}{i}")) for n in "ab")
        lost = {name: refs for name, _, refs, *_ in Diff(a, b).references()}
        assert lost.get(f"__main__.Lost{i}") == CALLS, (words, lost)


FREED = {   # what a call frees again, and what is freed holds the object
    "large lists": "x = [one] * 200; del x",
    "many large lists": "xs = [[one] * 200 for k in range(50)]; del xs",
    "large dicts": "d = {i: one for i in range(200)}; del d",
    "a deque": "collections.deque([one] * 300).clear()",
    "arguments": "(lambda *a: None)(*[one] * 300)",
    "generators": "gs = [(lambda a: (yield a))(one) for i in range(100)]; [next(g) for g in gs]; del gs",
    "another thread's": "t = threading.Thread(target=lambda a: [a] * 90, args=(one,)); t.start(); t.join()",
    "blocks that look like malloc's": "leaks.stale(one)",
    "texts of it": "io.StringIO(repr([one] * 30)).read()",
}


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "plain"])
def test_what_is_left_in_freed_memory_is_no_reference(recorded, leaks, tmp_path):
    """Nothing of the kind has run before the first snapshot: all that is left comes with the references."""
    source = HEAD + "import collections, io, threading\n"
    for i, words in enumerate(FREED.values()):
        source += f"class Lost{i}: pass\ndef work{i}(one):\n    for k in range({CALLS}):\n        leaks.shared(one)\n        {words}\n"
    source += f"""
for i in range({len(FREED)}):
    one = globals()["Lost%d" % i]()
    leaks.keep(one)
    memsure.snapshot("a%d" % i)
    globals()["work%d" % i](one)
    memsure.snapshot("b%d" % i)
"""
    run(source, leaks, tmp_path, recorded)
    for i, words in enumerate(FREED):
        a, b = (Snapshot.open(str(tmp_path / f"{n}{i}")) for n in "ab")
        lost = {name: refs for name, _, refs, *_ in Diff(a, b).references() if refs >= Diff.LEAST_REFS}
        assert lost == {f"__main__.Lost{i}": CALLS}, (words, lost)


@pytest.mark.slow
@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
def test_of_a_heap_of_frameworks_hardly_a_reference_is_unexplained(recorded, tmp_path):
    """All objects are there, and at most 0.5 % of them have references that no known object holds. Prints what they are."""
    for name in "pandas", "sqlalchemy", "django":
        pytest.importorskip(name)
    words = [*MEMSURE, "run", "-q", "--snapshot=none", "-o", "r.memsure"] if recorded else [sys.executable]
    app = Path(__file__).with_name("heap_of_frameworks.py")
    done = subprocess.run([*words, str(app), "s.memsure", "seen"], cwd=tmp_path, env=clean_env(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    s = Snap(tmp_path / "s.memsure")
    seen = array.array("Q", (tmp_path / "seen").read_bytes())
    assert len(seen) > 200_000 and not [a for a in seen if a not in s.at]
    left = collections.Counter(s.type(n) for n in s.unexplained if n <= s.objects)
    print(f"{left.total()} of {s.objects} objects, {100 * left.total() / s.objects:.3f} %: {left.most_common(8)}")
    assert left.total() <= 0.005 * s.objects, left.most_common(20)
    assert s.info["skipped_types"] == "[]"
