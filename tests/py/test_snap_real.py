"""Snapshots of real programs, asked: the holder and the edge to cut are named, sizes are analytic, a leaking C extension is found and its
correct twin is not."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from conftest import MEMSURE, clean_env, dedent

from memsure import cli, snaptext
from memsure.snap import Diff, Snapshot
from memsure.text import Paper


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(source, *options, name="app.py", recorded=True):
    """Run a program that takes its snapshots itself; under memsure run, so that births are seen."""
    Path(name).write_text(dedent(source))
    words = [*MEMSURE, "run", "-q", "--snapshot=none", "-o", "run.memsure", *options, name] if recorded else [sys.executable, name]
    done = subprocess.run(words, env=clean_env(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done


def steps(why):
    return [s.text for s in why.path]


def test_data_of_a_module_is_no_imported_code(here):
    """A tenth of the heap is worth a row, and a finding's why ends with what to change."""
    run("""
        import asyncio, email, http.client, json, logging, unittest, xml.dom.minidom, memsure
        CACHE = {f"key {i}": bytearray(200) for i in range(4000)}
        memsure.snapshot("one.memsure")
    """)
    root = Snapshot.open("one.memsure").holders()
    main, imported = (next(s for s in root.below if s.text.startswith(word)) for word in ("module __main__", "imported code"))
    assert (main.below[0].text, main.below[0].entries) == (".CACHE", 4000) and main.retained < imported.retained
    assert main.below[0].path == ["module __main__", ".CACHE"]
    assert 20 * main.retained >= Snapshot.open("one.memsure").bytes
    shown = snaptext.summary(Snapshot.open("one.memsure"), Paper(100))
    assert "module __main__ holds" in shown and ".CACHE (dict, 4,000 entries)" in shown


def test_a_finding_is_asked_by_its_id(here, capsys):
    run("""
        import time
        CACHE = {}
        def keep(i):
            CACHE[i] = b"x" * 2000 + str(i).encode()
        start = time.monotonic()
        while len(CACHE) < 4000:
            time.sleep(0.01)
            while len(CACHE) < min(4000, 2000 * (time.monotonic() - start)):
                keep(len(CACHE))
        text = ""
        for i in range(3000):
            text += "a piece of it"
    """, "--snapshot=exit")
    assert cli.main(["report", "run.memsure"]) == 0
    assert "\nnext: memsure why run.memsure L1   memsure report run.memsure --all" in capsys.readouterr().out
    assert cli.main(["why", "run.memsure", "l1"]) == 0
    out = capsys.readouterr().out
    assert "\nfix   app.py:2   CACHE = TTLCache(" in out and out.endswith("\nnext: memsure explain L1   memsure why run.memsure __main__.CACHE\n")
    assert cli.main(["why", "run.memsure", "O3"]) == 2
    assert "error: run.memsure has no finding O3; it has L1" in capsys.readouterr().err


def test_a_cache_is_found_with_its_holder_and_the_line_that_fills_it(here):
    run("""
        import time, memsure
        class Product:
            def __init__(self, sku):
                self.sku = sku
                self.payload = {"name": "x" * 100}
        class Catalog:
            def __init__(self):
                self._by_key = {}
            def get(self, key):
                hit = self._by_key.get(key)
                if hit is None:
                    hit = self._by_key[key] = Product(key)
                return hit
        CATALOG = Catalog()
        def serve():
            start, i = time.monotonic(), 0
            while i < 2000:
                time.sleep(0.01)
                for i in range(i, min(2000, 1 + int(2000 * (time.monotonic() - start) / 2))):
                    CATALOG.get(f"sku-{i}")
                i += 1
        serve()
        memsure.snapshot("a.memsure")
    """)
    snap = Snapshot.open("a.memsure")
    found = snap.why("Product")
    assert steps(found) == ["module __main__", ".CATALOG", "._by_key", "['…'] ×2,000"]
    assert found.count == 2000 and found.path[-1].site.place.endswith("app.py:12")
    assert found.cut is found.path[2] and found.cut_refs == 1 and found.cut.entries == 2000
    assert found.cut.retained >= found.retained > 2000 * 150
    assert snap.core.grows(found.cut.example)[0]
    assert [expression for expression in (snaptext.expression(snap.path_of(node)) for node, *_ in snap.growing())] == ["__main__.CATALOG._by_key"]
    top = next(s for s in snap.holders().below if s.text == "module __main__")
    assert [b.text for b in top.below][:1] == [".CATALOG"]
    text = snaptext.why(found, Paper(80))
    assert "<- cut" in text and "dict 2,000, grows" in text
    variable = snap.variables()
    assert ("__main__", "CATALOG") in [(m, v) for m, v, *_ in variable]


def test_sizes_are_what_python_says_and_what_was_allocated(here):
    run("""
        import memsure
        class Slots:
            __slots__ = ("a", "b")
        class Link:
            __slots__ = ("next",)
        KEEP = []
        for i in range(1000):
            s = Slots()
            s.a = bytes(1000)
            s.b = (i + 10**6, "y" * 50 + str(i))
            KEEP.append(s)
        HEAD = None
        for i in range(100000):
            link = Link()
            link.next = HEAD
            HEAD = link
        del link, s
        memsure.snapshot("a.memsure")
    """, recorded=False)
    snap = Snapshot.open("a.memsure")
    slots = snap.why("Slots")
    each = sys.getsizeof(bytes(1000)) + sys.getsizeof((1, 2)) + sys.getsizeof(10**6)
    texts = sum(sys.getsizeof("y" * 50 + str(i)) for i in range(1000))
    head = 32 + 16      # two slots and the collector's header
    assert slots.said == 1000 * head, (slots.said, head)
    assert slots.retained_said == 1000 * (head + each) + texts
    assert slots.retained >= slots.retained_said
    link = snap.why("Link")
    assert steps(link) == ["module __main__", ".HEAD", ".next ×100\u00a0k"]
    assert link.retained_said == link.said == 100000 * (24 + 16)
    assert snap.why("__main__.HEAD").retained_said == link.said


def test_dead_cycles_are_listed_before_the_collector_comes(here):
    run("""
        import gc, memsure
        gc.disable()
        class Node:
            def __init__(self, parent=None):
                self.parent = parent
                self.children = []
        def tree():
            root = Node()
            root.children = [Node(root) for _ in range(3)]
        for _ in range(50):
            tree()
        memsure.snapshot("a.memsure")
    """)
    snap = Snapshot.open("a.memsure")
    found = snap.why("__main__.Node")
    assert found.count == found.garbage == 200
    dead = [c for c in snap.cycles(2000)[1] if c.garbage and "Node" in c.text]
    assert sum(c.circles for c in dead) == 50 and "parent" in dead[0].text and "children" in dead[0].text, dead[0].text
    text = snaptext.summary(snap, Paper(80))
    assert "are dead: they only hold each other" in text and "50 ×" in text


def test_frames_and_locals_of_a_thread_hold(here):
    run("""
        import threading, memsure
        ready, go = threading.Event(), threading.Event()
        def worker():
            rows = ["row " * 50 + str(i) for i in range(3000)]
            ready.set()
            go.wait()
        t = threading.Thread(target=worker, name="w")
        t.start()
        ready.wait()
        memsure.snapshot("a.memsure")
        go.set()
        t.join()
    """)
    snap = Snapshot.open("a.memsure")
    at = snap.why("app.py:4")
    assert any(s.text == "rows" for s in at.path), steps(at)
    assert any("worker (" in s.text and "app.py:6" in s.text for s in at.path), steps(at)


@pytest.mark.parametrize("values", [False, True])
def test_texts_are_redacted_unless_asked_for(values, here):
    run(f"""
        import memsure
        KEEP = {{"secret-key-" + str(i): "secret value " + str(i) for i in range(100)}}
        memsure.snapshot("a.memsure", values={values})
    """, recorded=False)
    snap = Snapshot.open("a.memsure")
    text = "".join([snaptext.summary(snap, Paper(120)), snaptext.why(snap.why("__main__.KEEP"), Paper(120)), json.dumps(snaptext.data(snap))])
    assert ("secret" in text) == values
    assert (b"secret" in Path("a.memsure").read_bytes()) == values
    assert cli.main(["export", "a.memsure", "--to", "heapsnapshot", "-o", "a.heapsnapshot"]) == 0
    assert (b"secret" in Path("a.heapsnapshot").read_bytes()) == values


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("leaky")
    target = folder / f"leaky{sysconfig.get_config_var('EXT_SUFFIX')}"
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O2", f"-I{sysconfig.get_path('include')}", str(Path(__file__).with_name("leaky.c")),
                           "-o", str(target)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the extension cannot be built: {done.stderr[:200]}")
    return folder


def test_a_c_extension_that_forgets_a_decref_is_found_after_100_calls(leaky, here):
    run(f"""
        import sys
        sys.path.insert(0, {str(leaky)!r})
        import leaky, memsure
        class Thing:
            pass
        THING, OTHER = Thing(), Thing()
        def work(made, borrowed, thing):
            for i in range(100):
                made(thing)
                borrowed(thing)
        work(leaky.made, leaky.borrowed, Thing()); work(leaky.made_right, leaky.borrowed_right, OTHER)   # warm
        memsure.snapshot("a.memsure")
        work(leaky.made_right, leaky.borrowed_right, OTHER)
        memsure.snapshot("b.memsure")
        work(leaky.made, leaky.borrowed, THING)
        memsure.snapshot("c.memsure")
    """)
    a, b, c = (Snapshot.open(f"{n}.memsure") for n in "abc")
    assert [r for r in Diff(a, b).references() if r[2] >= Diff.LEAST_REFS] == []    # the correct twin
    found = {name: (site, refs, objects) for name, site, refs, objects, _ in Diff(b, c).references() if refs >= Diff.LEAST_REFS}
    assert set(found) == {"tuple", "__main__.Thing"}, found
    assert found["tuple"][1] == found["tuple"][2] == found["__main__.Thing"][1] == 100
    assert found["tuple"][0].place.endswith("app.py:9") and found["__main__.Thing"][0].place.endswith("app.py:6")
    text = snaptext.diff(Diff(b, c), Paper(80))
    assert "refs nobody owns: +100 on 100 more tuple" in text
    assert "refs nobody owns: +100 on __main__.Thing" in text
    assert "refs nobody owns" not in snaptext.diff(Diff(a, b), Paper(80))


def test_what_grew_between_two_snapshots_is_named_by_its_path(here):
    run("""
        import memsure
        CACHE, LOG = {}, []
        def fill(n):
            for i in range(n):
                CACHE[len(CACHE)] = "value %d" % i
        fill(500)
        memsure.snapshot("a.memsure")
        fill(1500)
        LOG.extend([None] * 100)
        memsure.snapshot("b.memsure")
    """)
    d = Diff(Snapshot.open("a.memsure"), Snapshot.open("b.memsure"))
    key, before, after = d.lines()[0]
    assert key[0].endswith("app.py") and key[1] == 5 and after[0] - before[0] >= 1500
    assert d.held_by(key).ends[0].path[:2] == ["module __main__", ".CACHE"]
    longer = {snaptext.expression(d.after.path_of(node)): (a, b) for node, a, b in d.containers()}
    assert longer["__main__.CACHE"] == (500, 2000) and longer["__main__.LOG"] == (0, 100)
    holders = {path: after - before for path, before, after, _ in d.holders()}
    assert holders[("module __main__", ".CACHE")] > 1500 * 50
    assert "__main__.CACHE" in snaptext.diff(d, Paper(80))


def test_recordings_carry_their_snapshots(here, capsys):
    Path("app.py").write_text("KEEP = [str(i) * 10 for i in range(20000)]\nBIG = [bytes(1000) for _ in range(5000)]\ndel BIG\n")
    done = subprocess.run([*MEMSURE, "run", "-q", "-o", "run.memsure", "app.py"], env=clean_env(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert cli.main(["snapshot", "run.memsure"]) == 0
    out = capsys.readouterr().out
    assert "snapshot at exit" in out and ".KEEP" in out and "app.py:1" in out
    assert cli.main(["why", "run.memsure", "app.py:1", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["path"][0]["step"] == "module __main__" and data["objects"] >= 20000
    assert os.path.exists("run.memsure")


def without_answers(path, out):
    """The same snapshot without the tables that repeat what follows from the others."""
    from memsure import _core

    file = _core.open(str(path))
    tables = {}
    for table, columns in file.tables.items():
        if not table.startswith("ready_"):
            tables[table] = {name: (type, width, bytes(file.column(table, name))) for name, (type, _, width) in columns.items()}
    _core.write(str(out), tables)
    return out


def test_ready_answers_are_those_that_would_be_computed(here):
    run("""
        import collections, decimal, email, json, weakref, memsure
        class Node:
            def __init__(self, parent, i):
                self.parent, self.children, self.name = parent, [], f"node {i}"
                if parent:
                    parent.children.append(self)
        ROOT = Node(None, 0)
        for i in range(300):
            Node(ROOT if i % 7 else ROOT.children[-1] if ROOT.children else ROOT, i)
        BY_NAME = {n.name: n for n in ROOT.children}
        WEAK = weakref.WeakValueDictionary(BY_NAME)
        NAMES = list(BY_NAME)
        QUEUE = collections.deque(BY_NAME.values())
        a = Node(None, "dead"); Node(a, "dead, too"); del a
        def held():
            local = [Node(None, i) for i in range(50)]
            memsure.snapshot("ready.memsure")
        held()
    """)
    without_answers("ready.memsure", "computed.memsure")
    ready, computed = Snapshot.open("ready.memsure"), Snapshot.open("computed.memsure")
    assert {t for t in ready.file.tables if t.startswith("ready_")} == {"ready_sums", "ready_tops", "ready_modules", "ready_variables", "ready_ways"}
    for word in ("types", "lines", "modules", "variables"):
        a, b = getattr(ready, word)(), getattr(computed, word)()
        assert [(getattr(r[0], "place", r[0]), *r[1:]) for r in a] == [(getattr(r[0], "place", r[0]), *r[1:]) for r in b] and len(a) > 3
    assert snaptext.data(ready) == snaptext.data(computed)
    assert snaptext.summary(ready, Paper(100)) == snaptext.summary(computed, Paper(100)).replace("computed.memsure", "ready.memsure")
    assert all(ready.core.way(v) == computed.core.way(v) for v in range(1, ready.core.nodes))
    for word in ("__main__.Node", "str", "dict", "type", "__main__.BY_NAME", "app.py:4"):
        assert ready.why(word).data() == computed.why(word).data()


@pytest.mark.parametrize("how", ["fork=False", "memory_limit=12_500_000"])
def test_where_the_program_waits_or_memory_is_short_no_answers_are_made_ready(here, how):
    run(f"""
        from memsure import _core
        OBJECTS = [[str(i)] for i in range(100_000)]
        _core.snapshot("one.memsure", {how})
    """)
    snap = Snapshot.open("one.memsure")
    assert snap.info["complete"] == "1" and not [t for t in snap.file.tables if t.startswith("ready_")] and snap.types() and snap.why("module").count


@pytest.mark.parametrize("column", ["edges to", "heavy retained", "objects degree"])
def test_a_large_file_is_checked_before_it_is_believed(here, capsys, column):
    """Of a large heap a second thread compares columns with their checksums, while the first begins to answer."""
    run("""
        import memsure
        class Item:
            def __init__(self, i):
                self.name, self.parts = f"item {i}", [i + 10**6]
        ITEMS = [Item(i) for i in range(20000)]
        memsure.snapshot("one.memsure")
    """, recorded=False)
    assert not cli.main(["why", "one.memsure", "__main__.Item"])
    assert ".ITEMS" in capsys.readouterr().out
    data = bytearray(Path("one.memsure").read_bytes())
    name = re.search(rb"\0*".join(re.escape(word.encode()) + rb"\0" for word in column.split()), data)
    data[name.end() + 4096] ^= 1
    Path("one.memsure").write_bytes(data)
    assert cli.main(["why", "one.memsure", "__main__.Item"]) == 2
    assert f"the column {column.replace(' ', '.')} does not match its checksum" in capsys.readouterr().err
