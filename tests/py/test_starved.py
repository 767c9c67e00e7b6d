"""A snapshot that gets too little memory, wherever that shows, ends in a whole file, in a smaller one that says so, or in one sentence;
and a traversal that does what it may not costs one type, or that snapshot."""

import json
import shutil
import subprocess
import sys
import sysconfig
import textwrap

import pytest
from conftest import run
from test_snapshot import Snap

from memsure import cli
from memsure.snap import Counted, Snapshot

STARVED = """
import json, os, resource, sys
import memsure
from memsure import _core
class A: pass
KEEP = [A() for i in range(20000)]
LINKS = {str(i): (i, [i, "text %d" % i]) for i in range(10000)}
memsure.snapshot("all.memsure")
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
steps, fork = json.loads(sys.argv[1])
out = []
for i, room in enumerate(steps):
    resource.setrlimit(resource.RLIMIT_AS, (size + room, resource.RLIM_INFINITY))
    name = f"s{i}.memsure"
    try:
        memsure.snapshot(name, fork=fork)
        out.append(name)
    except _core.Error as e:
        out.append(["error", str(e)])
    except MemoryError:
        out.append(["error", "no memory in the program"])
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
memsure.snapshot("again.memsure")       # as if nothing had been
print(json.dumps(out))
"""


def starved(tmp_path, steps, fork):
    (tmp_path / "app.py").write_text(STARVED)
    done = run([sys.executable, "app.py", json.dumps([steps, fork])], cwd=tmp_path, timeout=60 + 2 * len(steps))
    assert done.returncode == 0, done.stderr
    kinds = {"whole": 0, "smaller": 0, "error": 0}
    for row in json.loads(done.stdout):
        if isinstance(row, list):
            kinds["error"] += 1
            assert row[1] and "\n" not in row[1] and "could not read" not in row[1] and "signal" not in row[1], row
            continue
        try:
            s = Snapshot.open(str(tmp_path / row))
            assert s.info["complete"] == "1" or "memory" in s.info["incomplete_why"]
            kinds["whole"] += 1
        except Counted as e:
            assert [r[3] for r in e.rows if r[0] == "__main__.A"] == [20000] and "memory" in e.info["incomplete_why"]
            kinds["smaller"] += 1
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".")]
    assert Snap(tmp_path / "again.memsure").info["complete"] == "1"
    return kinds


@pytest.mark.parametrize("fork", [True, False], ids=["child", "in place"])
def test_with_any_room_there_is_an_answer_or_a_sentence(fork, tmp_path):
    kinds = starved(tmp_path, [(512 << 10) * i for i in range(0, 24, 6)] + [(4 << 20) * i for i in range(4, 30, 12)] + [1 << 30], fork)
    assert kinds["error"] and kinds["whole"], kinds


def test_the_smaller_answer_is_shown(tmp_path, capsys):
    (tmp_path / "app.py").write_text("""
from memsure import _core
class A: pass
KEEP = [A() for i in range(20000)]
_core.snapshot("s.memsure", memory_limit=500_000)
""")
    done = run([sys.executable, "app.py"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    path = str(tmp_path / "s.memsure")
    assert cli.main(["snapshot", path]) == 0
    out = capsys.readouterr().out
    assert "__main__.A" in out and "Who holds whom is not known" in out
    assert cli.main(["snapshot", path, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["complete"] is False and {"type": "__main__.A", "born": None, "objects": 20000} in [{k: r[k] for k in ("type", "born", "objects")} for r in data["counts"]]
    assert cli.main(["why", path, "A"]) == 2
    assert "error: " in (err := capsys.readouterr().err) and "counts objects only" in " ".join(err.split())


def test_large_containers_need_no_room_to_be_counted(tmp_path):
    (tmp_path / "app.py").write_text("""
from memsure import _core
class A: pass
KEEP = [A() for i in range(1000)] * 1000
ALSO = {i: KEEP[i % 1000] for i in range(1_000_000)}
_core.snapshot("s.memsure", memory_limit=8_000_000)
""")
    done = run([sys.executable, "app.py"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with pytest.raises(Counted) as e:
        Snapshot.open(str(tmp_path / "s.memsure"))
    assert [r[3] for r in e.value.rows if r[0] == "__main__.A"] == [1000] and sum(r[3] for r in e.value.rows if r[0] == "int") > 999_000


@pytest.mark.slow
@pytest.mark.parametrize("fork", [True, False], ids=["child", "in place"])
def test_with_any_room_in_small_steps(fork, tmp_path):
    starved(tmp_path, [(64 << 10) * i for i in range(600)] + [(1 << 20) * i for i in range(40, 300)], fork)


HOSTILE = r"""
#include <Python.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <pthread.h>
static int how;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
typedef struct { PyObject_HEAD PyObject *held; } thing;
static int traverse(thing *t, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(t));
    switch (how) {
    case 1: pthread_mutex_lock(&mutex); break;                                  /* blocks for ever */
    case 2: for (;;) __asm__ volatile("" ::: "memory");
    case 3: *(volatile int *)8 = 1; break;
    case 4: abort();
    case 5: exit(3);
    case 6: _exit(3);
    case 7: raise(SIGKILL); break;
    case 8: { volatile char big[1 << 16]; big[0] = 1; return traverse(t, visit, (char *)arg + 0 * big[0]) + big[0]; }
    case 9: visit((PyObject *)0x123456789a8, arg); break;                       /* no object */
    case 10: { static long zeros[8]; visit((PyObject *)zeros, arg); break; }
    case 11: for (;;) pause();
    case 12: raise(SIGTERM); raise(SIGALRM); break;
    case 13: for (;;) visit(t->held ? t->held : (PyObject *)t, arg);            /* tells for ever */
    }
    Py_VISIT(t->held);
    return 0;
}
static int clear(thing *t) { Py_CLEAR(t->held); return 0; }
static void dealloc(thing *t)
{
    PyTypeObject *type = Py_TYPE(t);
    PyObject_GC_UnTrack(t);
    Py_CLEAR(t->held);
    type->tp_free(t);
    Py_DECREF(type);
}
static PyType_Slot slots[] = {{Py_tp_traverse, traverse}, {Py_tp_clear, clear}, {Py_tp_dealloc, dealloc}, {0, NULL}};
static PyType_Spec spec = {"hostile.Thing", sizeof(thing), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};
static PyObject *be(PyObject *self, PyObject *o) { how = (int)PyLong_AsLong(o); Py_RETURN_NONE; }
static PyObject *hold(PyObject *self, PyObject *o) { pthread_mutex_lock(&mutex); Py_RETURN_NONE; }
static PyMethodDef methods[] = {{"be", be, METH_O, ""}, {"hold", hold, METH_NOARGS, ""}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "hostile", NULL, -1, methods};
PyMODINIT_FUNC PyInit_hostile(void)
{
    PyObject *m = PyModule_Create(&module);
    if (m) PyModule_AddObject(m, "Thing", PyType_FromSpec(&spec));
    return m;
}
"""

# what its traversal does -> whether the type is given up, the snapshot has a reason, or nothing is wrong with it
WAYS = {1: "given up", 2: "given up", 3: "given up", 4: "given up", 5: "ended", 6: "ended", 7: "ended", 8: "any", 9: "taken", 10: "taken",
        11: "given up", 12: "any", 13: "given up"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    cc = shutil.which("cc") or shutil.which("gcc")
    if cc is None:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.c").write_text(HOSTILE)
    done = subprocess.run([cc, "-shared", "-fPIC", "-O1", "-w", f"-I{sysconfig.get_path('include')}", "-o", str(folder / "hostile.so"),
                           str(folder / "hostile.c")], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no extension can be built: {done.stderr[-300:]}")
    return folder


def test_a_traversal_that_misbehaves_costs_that_snapshot_at_most(hostile, tmp_path):
    (tmp_path / "app.py").write_text(textwrap.dedent(f"""
    import atexit, gc, json, os, signal, sys
    sys.path.insert(0, {str(hostile)!r})
    import hostile, memsure
    from memsure import _core
    gc.disable()
    class After: pass
    things = [hostile.Thing() for i in range(3)] + [After()]
    atexit.register(print, "end")
    hostile.hold()
    out, running = {{}}, []
    for how in {sorted(WAYS)}:
        hostile.be(how)
        running.append((how, _core.snapshot(f"{{how}}.memsure", wait=False)))
    hostile.be(0)
    for how, r in running:
        try:
            _core.snapshot_wait(r)
            out[how] = "taken"
        except _core.Error as e:
            out[how] = str(e)
    memsure.snapshot("after.memsure")
    try:
        os.waitpid(-1, os.WNOHANG)
        out["child"] = True
    except ChildProcessError:
        pass
    print(json.dumps(out))
    """))
    done = run([sys.executable, "app.py"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    line, end = done.stdout.splitlines()            # atexit ran once, in the program
    out = json.loads(line)
    assert end == "end" and "child" not in out
    for how, expected in WAYS.items():
        said = out[str(how)]
        if expected == "ended":
            assert said.startswith("the snapshot's process ended"[:22]) and not (tmp_path / f"{how}.memsure").exists(), (how, said)
        elif said == "taken":
            s = Snap(tmp_path / f"{how}.memsure")
            assert len(s.of_type("__main__.After")) == 1
            assert ("hostile.Thing" in s.info["skipped_types"]) == (expected == "given up") or expected == "any", (how, s.info["skipped_types"])
        else:
            assert expected == "any" and "\n" not in said, (how, said)
    assert Snap(tmp_path / "after.memsure").info["skipped_types"] == "[]"
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("how", [1, *(pytest.param(how, marks=pytest.mark.slow) for how in (2, 3, 4, 8, 9, 10, 11, 13))])
def test_in_the_program_itself_one_that_misbehaves_costs_its_type(how, hostile, tmp_path):
    """Without a fork nobody else could end it: the thread that reads has a clock."""
    (tmp_path / "app.py").write_text(textwrap.dedent(f"""
    import gc, os, signal, sys, threading
    sys.path.insert(0, {str(hostile)!r})
    import hostile, memsure
    gc.disable()
    class After: pass
    things = [hostile.Thing() for i in range(3)] + [After()]
    def state():
        status = open("/proc/thread-self/status").read()
        return [status.split(name)[1].split()[0] for name in ("SigBlk:", "SigIgn:", "SigCgt:")], open("/proc/self/timers").read()
    memsure.snapshot("before.memsure", fork=False)
    before = state()
    hostile.hold()
    hostile.be({how})
    memsure.snapshot("here.memsure", fork=False)
    hostile.be(0)
    assert state() == before, (state(), before)
    """))
    done = run([sys.executable, "app.py"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    s = Snap(tmp_path / "here.memsure")
    assert s.info["complete"] == "1" and len(s.of_type("__main__.After")) == 1
    assert ("hostile.Thing" in s.info["skipped_types"]) == (WAYS[how] == "given up") or WAYS[how] == "any"
    assert Snap(tmp_path / "before.memsure").info["skipped_types"] == "[]"


EACH = """
import gc, json, os, sys
import memsure
from memsure import _core
class A: pass
class Chain: __slots__ = ("next",)
KEEP = [A() for i in range(300)]
for a in KEEP: a.value = [1.5]
first = last = Chain()
for i in range(3000): last.next = last = Chain()
last.next = None
del last
deep = None
for i in range(3000): deep = (deep, 1.5, b"deep")        # the collector forgets such: reached one by one, backwards
for i in range(3): gc.collect()
fork, one = json.loads(sys.argv[1])
expected = _core.snapshot("all.memsure", fork=fork)
same = n = 0
while same < 30 and n < 1000:                 # behind the last allocation nothing fails any more
    os.environ["MEMSURE_SNAPSHOT_FAIL"] = f"{'-' if one else ''}{n}"
    try:
        figures, said = _core.snapshot(f"s{n}.memsure", fork=fork), None
    except _core.Error as e:
        figures, said = {"nodes": 0, "edges": 0}, str(e)
    same = same + 1 if abs(figures["nodes"] - expected["nodes"]) < 200 else 0
    print(json.dumps([n, said, figures["nodes"] - expected["nodes"], figures["edges"] - expected["edges"]]), flush=True)
    n += 1
del os.environ["MEMSURE_SNAPSHOT_FAIL"]
memsure.snapshot("again.memsure", fork=fork)
assert all(a.value == [1.5] for a in KEEP)
"""


@pytest.mark.parametrize("fork, one", [pytest.param(True, True, id="child, alone"), pytest.param(False, False, id="in place, and all after it"),
                                       pytest.param(True, False, id="child, and all after it", marks=pytest.mark.slow),
                                       pytest.param(False, True, id="in place, alone", marks=pytest.mark.slow)])
def test_each_allocation_may_fail(fork, one, tmp_path):
    (tmp_path / "app.py").write_text(EACH)
    done = run([sys.executable, "app.py", json.dumps([fork, one])], cwd=tmp_path, timeout=400)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = {"whole": 0, "smaller": 0, "error": 0}
    for n, said, nodes, edges in rows:
        if said is not None:
            assert "memory" in said and "could not read" not in said and "signal" not in said and "\n" not in said, (n, said)
            kinds["error"] += 1
            continue
        try:
            s = Snapshot.open(str(tmp_path / f"s{n}.memsure"))
            assert abs(nodes) < 200 and abs(edges) < 400, (n, nodes, edges)
            assert s.info["complete"] == "1" or "memory" in s.info["incomplete_why"], n
            kinds["whole"] += 1
        except Counted as e:
            counts = {r[0]: 0 for r in e.rows}
            for r in e.rows:
                counts[r[0]] += r[3]
            assert (counts["__main__.A"], counts["__main__.Chain"]) == (300, 3001) and counts["tuple"] > 3000, (n, counts)
            assert all(name != "?" and name for name in counts)
            kinds["smaller"] += 1
    assert kinds["error"] and kinds["whole"] >= 30, kinds
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".")]
    assert Snap(tmp_path / "again.memsure").info["complete"] == "1"
