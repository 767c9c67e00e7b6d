"""Who may hold an object, one by one: each is found as the holder, by its name, and leaves no reference unexplained."""

import sys

import pytest
from conftest import run

from memsure.snap import Snapshot

# what holds -> (the program, texts that the path of the class's only instance contains)
HOLDERS = {
    "atexit, function": ("import atexit; atexit.register(X().method)", ["atexit"]),
    "atexit, argument": ("import atexit; atexit.register(print, X(), end='')", ["atexit"]),
    "atexit, keyword": ("import atexit; atexit.register(print, file=X(), end='')", ["atexit"]),
    "before fork": ("import os; os.register_at_fork(before=X().method)", ["before fork"]),
    "after fork": ("import os; os.register_at_fork(after_in_child=X().method)", ["after fork in the child"]),
    "after fork, in the parent": ("import os; os.register_at_fork(after_in_parent=X().method)", ["after fork in the parent"]),
    "codec search": ("import codecs; x = X(); codecs.register(lambda name, x=x: None); del x", ["codec search path"]),
    "codec errors": ("import codecs; codecs.register_error('of-x', X().method)", ["codec errors"]),
    "audit hook": ("import sys; sys.addaudithook(X().method)", ["audit hooks"]),
    "gc callback": ("import gc; gc.callbacks.append(X().method)", ["callbacks"]),
    "profile function": ("import sys; sys.setprofile(X().method)", ["profile function"]),
    "hook of asynchronous generators": ("import sys; sys.set_asyncgen_hooks(firstiter=X().method)", ["hook of asynchronous generators"]),
    "monitoring": ("import sys\nif sys.version_info >= (3, 12):\n    sys.monitoring.use_tool_id(3, 'x'); sys.monitoring.register_callback(3, sys.monitoring.events.LINE, X().method)\n"
                   "else: KEPT = X()", []),
    "sys.modules": ("import sys; sys.modules['no_module'] = X()", []),
    "builtins": ("import builtins; builtins.of_all = X()", ["of_all"]),
    "thread": ("import threading\ndef work():\n    of_thread = X()\n    go.wait()\ngo = threading.Event(); threading.Thread(target=work, daemon=True).start()\n"
               "import time\nwhile not go._cond._waiters: time.sleep(0.001)\ndel work", ["of_thread"]),
    "code": ("F = compile('1', 'f', 'exec').replace(co_consts=(X(),))", [".F", "co_consts"]),
    "attribute": ("class S: pass\nS1 = S(); S1.x = X()", [".S1", ".x"]),
    "attribute of one with a dict": ("class S: pass\nS1 = S(); S1.x = X(); vars(S1)", [".S1", ".x"]),
    "attribute of one with a dict of its own": ("class S: pass\nS1 = S(); S1.__dict__ = {'x': X()}", [".S1", ".x"]),
    "attributes without their object": ("class S: pass\nS1 = S(); S1.x = X(); D = vars(S1); del S1", [".D"]),
    "context variable": ("import contextvars; V = contextvars.ContextVar('V'); V.set(X())", ["context"]),
    "context": ("import contextvars; V = contextvars.ContextVar('V'); C = contextvars.Context(); C.run(V.set, X()); del V", [".C"]),
    "thread-local": ("import threading; L = threading.local(); L.value = X()", []),
    "cell": ("def f(x): return lambda: x\nF = f(X())", [".F", "cell_contents"]),
    "lru_cache": ("import functools\n@functools.lru_cache\ndef f(n): return X()\nf(1)", [".f"]),
    "default": ("def f(x=X()): pass", [".f"]),
    "partial": ("import functools; P = functools.partial(print, X())", [".P"]),
    "weak callback": ("import weakref\nclass A: pass\na = A(); R = weakref.ref(a, X().method)", [".R", "__callback__"]),
    "memoryview": ("class X(bytearray): pass\nM = memoryview(X(b'data'))", [".M"]),
    "memoryview of a memoryview": ("class X(bytearray): pass\nM = memoryview(memoryview(X(b'data')))[1:]", [".M"]),
    "generator": ("def g():\n    x = X()\n    yield 1\nG = g(); next(G)", [".G", "x"]),
    "coroutine": ("async def g():\n    x = X()\n    await a()\nimport types\n@types.coroutine\ndef a(): yield\nG = g(); G.send(None)", [".G", "x"]),
    "asynchronous generator": ("async def g():\n    x = X()\n    yield 1\nG = g(); A = G.asend(None)\ntry: A.send(None)\nexcept StopIteration: pass\ndel A", [".G", "x"]),
    "exception": ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    e.x = X(); E = e", [".E", ".x"]),
    "frame object": ("import sys\ndef f():\n    x = X()\n    return sys._getframe()\nF = f()", [".F", "x"]),
    "slot": ("class S: __slots__ = 'x'\nS1 = S(); S1.x = X()", [".S1", ".x"]),
    "dict key": ("D = {X(): 1}", [".D"]),
    "set": ("S = {X()}", [".S"]),
    "deque": ("import collections; D = collections.deque([1, X()])", [".D", "[1]"]),
    "mapping proxy": ("import types; P = types.MappingProxyType({1: X()})", [".P"]),
    "iterator": ("I = iter([X()])", [".I"]),
    "method": ("M = X().method", [".M", "__self__"]),
    "property": ("class P: p = property(X().method)", [".P", ".p"]),
    "class attribute": ("class P: x = X()", [".P", ".x"]),
    "interned string's neighbour": ("class X(str): pass\nD = {'k': X('text')}", [".D"]),
    "numpy elements": ("import numpy; A = numpy.array([None, X()], dtype=object)", [".A", "[1]"]),
    "numpy structure": ("import numpy; A = numpy.zeros(3, dtype=[('n', 'i4'), ('o', 'O')]); A[2]['o'] = X()", [".A"]),
    "numpy nested structure": ("import numpy; A = numpy.zeros(2, dtype=[('s', [('n', 'i8'), ('o', 'O')]), ('m', 'i1')]); A[1]['s']['o'] = X()", [".A"]),
    "numpy array in a structure": ("import numpy; A = numpy.zeros(3, dtype=[('n', 'i4'), ('o', 'O', (2, 2))]); A[2]['o'][1, 0] = X()", [".A"]),
    "a time's zone": ("import datetime\nclass X(datetime.tzinfo): pass\nT = datetime.datetime(2000, 1, 1, tzinfo=X()), datetime.datetime(2000, 1, 1), datetime.time(1, 2)", [".T", "tzinfo"]),
    "numpy view": ("import numpy; A = numpy.array([None, X()], dtype=object)[::-1]", [".A"]),
    "numpy exporter": ("import numpy\nclass X(bytearray): pass\nA = numpy.frombuffer(X(b'datadata'), dtype='i4')", [".A"]),
}


@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
def test_each_holder_is_named(recorded, tmp_path):
    """One process for all: each case is a module of its own, with a class X of its own."""
    source = "import sys, types\n"
    cases = []
    for i, (name, (program, texts)) in enumerate(HOLDERS.items()):
        if "numpy" in program and not has_numpy():
            continue
        cases.append((f"m{i}", name, texts))
        program = "class X:\n    def method(self, *args, **kwargs): pass\n" + program
        source += f"m = types.ModuleType('m{i}'); sys.modules['m{i}'] = m\nexec({program!r}, m.__dict__)\n"
    source += "del m\nimport memsure\nmemsure.snapshot(sys.argv[1])\n"
    (tmp_path / "app.py").write_text(source)
    words = [sys.executable, "-m", "memsure", "run", "-q", "--snapshot=none", "-o", str(tmp_path / "r.memsure")] if recorded else [sys.executable]
    done = run([*words, str(tmp_path / "app.py"), str(tmp_path / "s.memsure")])
    assert done.returncode == 0, done.stderr
    snap = Snapshot.open(str(tmp_path / "s.memsure"))
    missed, left = [], {snap.type_name(t) for t, site, node, address, birth, refs, words in snap.core.ledger()}
    for module, name, texts in cases:
        why = snap.why(f"{module}.X")
        path = [s.text for s in why.path]
        if why.count != 1 or any(not any(t in step for step in path) for t in texts) or any("outside" in step for step in path):
            missed.append((name, why.count, path))
        if f"{module}.X" in left:
            missed.append((name, "has references that nobody owns"))
    assert not missed, missed


def has_numpy():
    try:
        import numpy
    except ImportError:
        return False
    return bool(numpy)
