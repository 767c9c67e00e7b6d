"""Snapshots, read: every figure against a slow model, every text against tests/golden/, every damaged file against one sentence.

Heaps are made up by synthetic_snapshot.py, whose dominators and retained sizes are worked out slowly there. What real programs give is
in test_snap_real.py. To write the golden files anew: MEMSURE_GOLDEN=write pytest tests/py/test_snap.py"""

import json
import os
import pathlib
import random
import subprocess
import sys

import pytest
import synthetic_snapshot as synthetic
from synthetic_snapshot import GLOBALS, WEAK, Heap

from memsure import _core, cli, snap, snaptext
from memsure.recording import Unreadable
from memsure.text import Paper

GOLDEN = pathlib.Path(__file__).parent.parent / "golden"
PAPERS = {"80": Paper(80), "120": Paper(120), "ascii": Paper(80, unicode=False)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """run.memsure and later.memsure: the shop, and the same process later, with a C type that leaks."""
    here = tmp_path_factory.mktemp("snap")
    synthetic.shop().write(here / "run.memsure")
    synthetic.shop(later=300, leaked=100).write(here / "later.memsure")
    synthetic.chain().write(here / "chain.memsure")
    return here


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "MEMSURE_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    return folder


def opened(path):
    return _core.snap(_core.open(os.fspath(path)))


# -- against the model

def random_heap(rng):
    h = Heap()
    types = [h.type(f"m.T{i}", ["a", "b", "c"][: i + 1], rest=rest) for i, rest in enumerate(("none", "index", "none"))]
    box = h.type("list", rest="index", flags=2)
    table = h.type("dict", rest="pairs", flags=2)
    sites = [h.site(f"f{i}.py", f"g{i}", i + 1) for i in range(4)]
    nodes = [h.add(rng.choice([*types, box, table]), rng.randrange(1, 500), site=rng.choice([0, *sites]), birth=rng.randrange(4000))
             for _ in range(rng.randrange(2, 60))]
    for v in nodes:
        t = h.types[h.nodes[v]["type"]]
        for f in t["fields"]:
            if rng.random() < 0.5:
                h.refer(v, f, rng.choice(nodes), rng.choice([0, 0, 0, GLOBALS, WEAK]))
        if t["rest"] != "none":
            for _ in range(rng.randrange(4) * 2):
                h.refer(v, None, rng.choice(nodes))
    h.module("m", [(f"v{i}", rng.choice(nodes)) for i in range(rng.randrange(3))])
    if rng.random() < 0.5:
        h.thread("thread 1", ("main in a.py", sites[0], [("x", rng.choice(nodes))]))
    return h


@pytest.mark.parametrize("seed", range(60))
def test_random_heaps(seed, tmp_path):
    rng = random.Random(seed)
    h = random_heap(rng)
    s = opened(h.write(tmp_path / "a.memsure"))
    assert s.check() is None and s.nodes == len(h.final)
    for v, node in enumerate(h.final):
        type, site, birth, address, size, said, retained, _, _, idom, _, _ = s.node(v)
        assert (type, site, birth, size, said) == (node["type"], node["site"], node["birth"], node["size"], node["said"])
        assert (retained, idom) == (h.retained[v], h.idom[v])
        assert (s.find(address) == v) == (not node["pseudo"])
    check_sums(s, h)
    check_holders(s, h)
    check_ways(s, h, rng)


def dominators(h, v):
    out = []
    while v:
        v = h.idom[v]
        out.append(v)
    return out


def check_sums(s, h):
    for by in ("type", "site"):
        want = {}
        for v, node in enumerate(h.final):
            if node["pseudo"]:
                continue
            w = want.setdefault(node[by], [0, 0, 0])
            w[0] += 1
            w[1] += node["size"]
            if not any(h.final[u][by] == node[by] and not h.final[u]["pseudo"] for u in dominators(h, v)):
                w[2] += h.retained[v]
        assert {row: [x[0], x[1], x[3]] for row, x in s.sums(by)} == want


def check_holders(s, h):
    """Followed to the end, the rows have every object that is dominated directly or holds, with the right sums."""
    steps = s.holders(0, 1, 1000, 1 << 60)
    assert steps[0][14][3] == h.retained[0] == sum(n["size"] for n in h.final)
    for step in steps[1:]:
        assert step[14][0] >= 1 and step[14][3] <= steps[step[0]][14][3]


def check_ways(s, h, rng):
    """Each way leads from the root over references that are there; only what nothing reaches has none."""
    normal = {v: {t for k, t, _ in out if k == 0 and t} for v, out in enumerate(h.finish_edges)}
    for v in rng.sample(range(1, s.nodes), min(10, s.nodes - 1)):
        edges = s.way(v)
        assert edges or v in dominators(h, v) or h.idom[v] == 0
        at = 0
        for owner, target, kind, _, _ in edges:
            assert owner == at and (kind != 0 or target in normal[owner])
            at = target
        if edges:
            assert at == v
    if s.objects > 2:
        answer = s.why("type", [h.final[1]["type"]])
        alike = [n for n in h.final if n["type"] == h.final[1]["type"] and not n["pseudo"]]
        assert answer["sum"][0] == len(alike)
        assert sum(step[13] for step in answer["steps"]) + answer["lost"] == len(alike)


def test_a_chain_of_thousands_is_one_row(here):
    found = snap.Snapshot.open("chain.memsure").why("chain.Link")
    assert [s.text for s in found.path] == ["module chain", ".HEAD", ".next ×2,999"]
    assert found.count == 3000 and found.retained == 3000 * 48
    rows = snap.Snapshot.open("chain.memsure").holders().below
    assert rows[0].text == "module chain" and [b.text for b in rows[0].below[0].below] == [".next ×2,999"]


def test_names_of_references(tmp_path):
    h = Heap()
    h.site("a.py", "f", 1)
    t = h.type("m.T", ["x", "__dict__"])
    one, two = h.add(t, 48), h.add(t, 48)
    d = h.dict([(h.str("attr"), two), (h.str("secret", key=False), one)])
    h.refer(one, "__dict__", d)
    h.refer(one, "x", h.list([two]))
    h.refer(two, "x", h.list([d], type="set", rest="members"))
    h.module("m", [("one", one)])
    s = snap.Snapshot(opened(h.write(tmp_path / "a.memsure")), "a.memsure", "call")
    number = h.number
    assert [s.label(*e[3:]) for e in s.core.references(number[one], 9)] == [".x", ".__dict__"]
    assert [s.label(*e[3:]) for e in s.core.references(number[d], 9)] == ["key", "['attr']", "key", "[str]"]
    assert [s.label(*e[3:]) for e in s.core.references(s.core.references(number[one], 9)[0][1], 9)] == ["[0]"]
    assert [s.label(*e[3:]) for e in s.core.references(s.core.references(number[two], 9)[0][1], 9)] == ["member"]
    assert s.path_of(number[two]) == ["module m", ".one", ".attr"]
    assert s.core.attribute(number[one], "attr") == number[two] and s.core.attribute(number[one], "y") is None
    assert len(s.core.referrers(number[two], 9)) == 2 and len(s.core.referrers(number[two], 1)) == 1


# -- what grows, what leaks

def container(births, entries_from=0, epoch=4000, born=0):
    h = Heap(epoch=epoch)
    site = h.site("a.py", "f", 1)
    item = h.type("m.Item")
    box = h.list([h.add(item, 32, site=site, birth=b) for b in births], site=site, birth=born)
    h.module("m", [("BOX", box)])
    return h, box


@pytest.mark.parametrize("births, grows", [
    (range(0, 4000, 10), True),                     # filled all the time
    ([5] * 400, False),                             # filled at the start
    (range(3500, 4000), False),                     # a queue: only the young
    ([*range(0, 400), *range(3000, 4000)], False),  # twice
    ([*range(600, 4000, 10)], True),                # from a little later on
])
def test_growth_is_seen_in_one_snapshot(births, grows, tmp_path):
    h, box = container(list(births))
    s = opened(h.write(tmp_path / "a.memsure"))
    (node, found, entries, *_), = s.growing(64, 9)
    assert (node, found, entries) == (h.number[box], grows, len(list(births)))
    assert s.grows(node)[0] == grows


def test_a_young_container_tells_nothing(tmp_path):
    h, box = container([3998] * 100, born=3997)
    assert opened(h.write(tmp_path / "a.memsure")).growing(64, 9) == []


def test_a_leak_of_references_is_found_and_its_twin_is_silent(tmp_path):
    def write(name, count, refs):
        h = Heap()
        site = h.site("api.c.py", "call", 7)
        t = h.type("ext.Thing")
        one = h.add(t, 64, site=site)
        h.module("m", [("THING", one)])
        if refs:
            h.unexplained[one] = refs
        for _ in range(count):
            h.unexplained[h.add(t, 64, site=site)] = 1
        return snap.Snapshot.open(h.write(tmp_path / name))
    a, b, c, d = write("a.memsure", 3, 2), write("b.memsure", 103, 2), write("c.memsure", 3, 102), write("d.memsure", 3, 3)
    (row,) = snap.Diff(a, b).references()
    assert row[0] == "ext.Thing" and row[1].place == "api.c.py:7" and row[2:4] == (100, 100)
    (row,) = snap.Diff(a, c).references()
    assert row[2:4] == (100, 0)
    assert snap.Diff(a, a).references() == [] and snap.Diff(b, a).references() == []
    assert "refs nobody owns" in snaptext.diff(snap.Diff(a, b), PAPERS["80"])
    assert "refs nobody owns" not in snaptext.diff(snap.Diff(a, d), PAPERS["80"])     # one is of the moment


def test_containers_that_got_longer_are_matched_by_address(here):
    d = snap.Diff(snap.Snapshot.open("run.memsure"), snap.Snapshot.open("later.memsure"))
    assert d.same_process
    a, b = container(range(0, 4000, 10)), container(range(0, 4000, 5))
    pass_a, pass_b = a[0].write(here / "c1.memsure"), b[0].write(here / "c2.memsure")
    c1, c2 = snap.Snapshot.open(pass_a), snap.Snapshot.open(pass_b)
    assert snap.Diff(c1, c1).containers() == []
    longer = snap.Diff(c1, c2).containers()
    assert all(after > before for _, before, after in longer)


# -- the texts

def shown(what, paper):
    s = snap.Snapshot.open("run.memsure")
    if what == "snapshot":
        return snaptext.summary(s, paper)
    if what == "diff":
        return snaptext.diff(snap.Diff(s, snap.Snapshot.open("later.memsure")), paper)
    if what.startswith("by-"):
        return snaptext.by(s, paper, what[3:])
    return snaptext.why(s.why({"why-type": "Product", "why-line": "shop/feed.py:40", "why-variable": "shop.CATALOG", "why-dead": "Node"}[what]), paper)


@pytest.mark.parametrize("what, paper", [*((w, p) for w in ("snapshot", "diff", "why-type", "why-line", "why-variable", "why-dead") for p in PAPERS),
                                         *((f"by-{b}", "80") for b in snaptext.BY)])
def test_golden(what, paper, here):
    text = shown(what, PAPERS[paper])
    assert max(map(len, text.splitlines())) <= int(paper if paper != "ascii" else 80)
    if paper == "ascii":
        assert text.isascii()
    golden = GOLDEN / f"{'' if what.startswith('snapshot') else 'snapshot-'}{what}-{paper}.txt"
    if os.environ.get("MEMSURE_GOLDEN") == "write":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", range(40, 121, 10))
def test_no_line_is_too_wide(width, here):
    for what in ("snapshot", "diff", "why-type", "why-dead", "by-line", "by-cycle"):
        for line in shown(what, Paper(width)).splitlines():
            assert len(line) <= max(width, 72), (what, line)


# -- the commands

def run(*words):
    return cli.main(list(words))


@pytest.mark.parametrize("words", [["snapshot", "run.memsure"], ["snapshot", "run.memsure", "--by", "type"], ["why", "run.memsure", "Product"],
                                   ["diff", "run.memsure", "later.memsure"]])
def test_commands_as_json(words, here, capsys):
    assert run(*words, "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["schema"] == 1
    assert run(*words) == 0
    assert capsys.readouterr().out


def test_json_has_exact_integers(here, capsys):
    h = synthetic.shop()
    h.tables()
    run("snapshot", "run.memsure", "--json")
    data = json.loads(capsys.readouterr().out)
    assert data["bytes"] == sum(n["size"] for n in h.final) and data["objects"] == sum(not n["pseudo"] for n in h.final)
    product = next(t for t in data["types"] if t["type"] == "shop.cache.Product")
    nodes = [v for v, n in enumerate(h.final) if h.types[n["type"]]["name"] == "shop.cache.Product"]
    assert product["retained_bytes"] == sum(h.retained[v] for v in nodes) and product["objects"] == 1940
    assert data["garbage"] == {"objects": 31 * 5, "bytes": sum(n["size"] for v, n in enumerate(h.final) if "Node" in h.types[n["type"]]["name"])
                               + 31 * (56 + 24)}
    assert data["holders"][0]["path"] == ["module shop"]
    assert sum(c["circles"] for c in data["cycles"] if c["garbage"]) == 31
    run("why", "run.memsure", "Product", "--json")
    data = json.loads(capsys.readouterr().out)
    assert [p["step"] for p in data["path"]] == ["module shop", ".CATALOG", "._by_key", "['…'] ×1,940"]
    assert data["cut"]["path"][-1] == "._by_key" and data["cut"]["references"] == 1
    assert data["path"][-1]["retained_bytes"] == data["retained_bytes"] == product["retained_bytes"]


@pytest.mark.parametrize("words, sentence, hint", [
    (["why", "run.memsure", "Produkt"], "no type Produkt in this snapshot; nearest: Product (1,940)", "memsure why run.memsure shop.cache.Product"),
    (["why", "run.memsure", "shop.CATALOGUE"], "module shop has no variable CATALOGUE; nearest: CATALOG", "memsure why run.memsure shop.CATALOG"),
    (["why", "run.memsure", "CATALOG"], "no type CATALOG in this snapshot; nearest: shop.CATALOG", "memsure why run.memsure shop.CATALOG"),
    (["why", "run.memsure", "shop/cache.py:26"], "no object that lives here was born at shop/cache.py:26; the nearest line of shop/cache.py that "
     "some were born at is 25", "memsure why run.memsure shop/cache.py:25"),
    (["why", "run.memsure", "shop/cash.py:25"], "no object in this snapshot was born in shop/cash.py; nearest: shop/cache.py",
     "memsure why run.memsure shop/cache.py:25"),
    (["why", "run.memsure", "0x1234"], "no object lies at 0x1234 in this snapshot", "memsure snapshot run.memsure --by type"),
    (["why", "run.memsure"], "why needs a type, a line, an address or a variable", "memsure why run.memsure Product"),
    (["why"], "why needs a snapshot, and what it is to be about", "memsure why run.memsure Product"),
    (["why", "run.memsure", "a", "b"], "why takes one type, line, address or variable; 'b' is one too many", "memsure why run.memsure a"),
    (["diff", "run.memsure"], "diff needs two snapshots", "memsure diff run.memsure after.memsure"),
    (["snapshot"], "snapshot needs a file, or the number of a process", "memsure snapshot run.memsure"),
    (["snapshot", "run.memsure", "later.memsure"], "snapshot takes one file; 'later.memsure' is one too many",
     "memsure diff run.memsure later.memsure            (compares two)"),
    (["snapshot", "run.memsure", "--by", "kind"], "--by knows no 'kind'; it takes holder, type, line, module, variable, cycle, growing, spare, equal, "
     "unexplained or raw", "--by holder"),
    (["snapshot", "runs.memsure"], "'runs.memsure' does not exist", "memsure snapshot run.memsure"),
    (["why", "run.memsure", "x", "--at", "peak"], "run.memsure holds no snapshot of the peak; it has one of: call", "memsure snapshot run.memsure --at call"),
])
def test_wrong_use(words, sentence, hint, here, capsys):
    assert run(*words) == 2
    out, err = capsys.readouterr()
    first, *rest = err.splitlines()
    assert out == "" and first == f"error: {sentence}"
    assert [line.split() for line in rest] == [["try:", *hint.split()]]


def test_names_may_be_short(here, capsys):
    for word in ("Product", "shop.cache.Product", "cache.Product"):
        assert run("why", "run.memsure", word) == 0
    assert len(set(capsys.readouterr().out.split("\n\n"))) < 8


def test_of_two_types_with_one_name_one_is_to_be_chosen(tmp_path, capsys):
    h = Heap()
    for name in ("a.Node", "b.Node", "b.Node"):
        h.add(h.type(name), 16)
    h.write(tmp_path / "x.memsure")
    assert run("why", str(tmp_path / "x.memsure"), "Node") == 2
    assert capsys.readouterr().err.startswith("error: 2 types are called Node: b.Node, a.Node\n  try: ")


# -- bad files

def test_not_a_snapshot(here, capsys):
    import synthetic as recordings
    recordings.healthy(here).write("plain.memsure")
    (here / "text.memsure").write_text("hello world, this is text\n")
    for name, sentence in (("plain.memsure", "plain.memsure holds no snapshot"), ("text.memsure", "text.memsure is not a memsure file"),
                           ("none.memsure", "'none.memsure' does not exist")):
        assert run("snapshot", name) == 2
        assert capsys.readouterr().err.startswith(f"error: {sentence}")


def tables_of(heap):
    return heap.tables()


NEEDED = ["objects.shape", "objects.site", "objects.birth", "objects.degree", "edges.to", "shapes.type", "types.name", "types.rest", "types.flags",
          "regions", "strings", "snap_info", "sites", "wide", "fields", "labels", "texts", "objects.address"]


@pytest.mark.parametrize("part", NEEDED)
def test_without_a_part_one_sentence(part, tmp_path, capsys):
    synthetic.shop(products=10).write(tmp_path / "x.memsure", without=[part])
    path = str(tmp_path / "x.memsure")
    statuses = {run(*words) for words in (["snapshot", path], ["why", path, "Product"], ["diff", path, path])}
    out, err = capsys.readouterr()
    assert statuses <= {0, 2} and "Traceback" not in err and "failed (not" not in err
    for line in err.splitlines():
        assert line.startswith(("error: ", "  try: ")), line


@pytest.mark.parametrize("part", ["objects.idom", "heavy", "cycles", "unexplained", "containers", "equal", "equal_total", "raw"])
def test_what_can_be_done_without_is(part, tmp_path, capsys):
    """Dominators, retained sizes and cycles are computed where the file lacks them: the same text comes out."""
    synthetic.shop(products=50).write(tmp_path / "x.memsure")
    path = str(tmp_path / "x.memsure")
    assert run("snapshot", path) == 0
    whole = capsys.readouterr().out
    synthetic.shop(products=50).write(path, without=[part] if part != "objects.idom" else [part, "heavy", "cycles"])
    assert run("snapshot", path) == 0
    again, err = capsys.readouterr()
    assert err == ""
    if part in ("objects.idom", "heavy"):
        assert again == whole


@pytest.mark.parametrize("change, sentence", [
    (dict(format="2"), "this snapshot was taken by another version of memsure: its format is 2, this memsure reads 1"),
    (dict(objects="99999999"), "this snapshot contradicts itself"),
    (dict(garbage_node="99999999"), "this snapshot contradicts itself"),
])
def test_absurd_facts(change, sentence, tmp_path, capsys):
    h = synthetic.shop(products=5)
    tables = h.tables()
    keys, strings = list(tables["snap_info"]["key"][2]), list(h.strings)
    data, offsets = bytearray(tables["strings"]["data"][2]), tables["strings"]["offsets"][2]
    for key, value in change.items():
        offsets.append(offsets[-1] + len(value))
        data += value.encode()
        tables["snap_info"]["value"][2][keys.index(strings.index(key))] = len(offsets) - 2
    tables["strings"]["data"] = ("u8", 1, bytes(data))
    _core.write(str(tmp_path / "x.memsure"), tables)
    assert run("snapshot", str(tmp_path / "x.memsure")) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("table, column", [("objects", "shape"), ("objects", "site"), ("objects", "idom"), ("edges", "to"), ("shapes", "type"),
                                           ("types", "field_count"), ("regions", "first"), ("objects", "degree"), ("heavy", "node")])
def test_numbers_that_point_nowhere(table, column, tmp_path, capsys):
    tables = synthetic.shop(products=5).tables()
    kind, _, values = tables[table][column]
    values[len(values) // 2] = 200 if kind == "u8" else 0x3FFFFFF0
    _core.write(str(tmp_path / "x.memsure"), tables)
    status = run("snapshot", str(tmp_path / "x.memsure"))
    err = capsys.readouterr().err
    assert status == (0 if table == "heavy" else 2), err
    assert table == "heavy" or err.count("\n") == 2 and "  try: " in err and "this snapshot cannot be read" in err


@pytest.mark.parametrize("without", [(), ["places"]])
def test_a_ledger_of_objects_that_are_none(without, tmp_path, capsys):
    h = synthetic.shop(products=5)
    tables = {name: columns for name, columns in h.tables().items() if name not in without}
    for table in {"unexplained", "places"} - set(without):
        tables[table]["node"][2][-1] = 0xFFFFFFFF
    path = str(tmp_path / "x.memsure")
    _core.write(path, tables)
    assert run("snapshot", path, "--by", "unexplained") == 0 and run("diff", path, path) == 0
    assert "sqlglot.Column" in capsys.readouterr().out


def test_dominators_in_circles_are_refused(tmp_path, capsys):
    tables = synthetic.shop(products=20).tables()
    idom = tables["objects"]["idom"][2]
    holder = next(v for v in idom if v not in (0,) and idom[v] not in (0, v))
    idom[idom[holder]] = holder
    _core.write(str(tmp_path / "x.memsure"), tables)
    assert run("snapshot", str(tmp_path / "x.memsure")) == 2
    assert "goes in circles" in capsys.readouterr().err


def test_a_file_cut_anywhere_gives_an_answer_or_a_sentence(folder, tmp_path, capsys):
    whole = (folder / "chain.memsure").read_bytes()
    rng = random.Random(1)
    for at in [*range(0, 3000, 64), *(rng.randrange(len(whole)) for _ in range(60))]:
        (tmp_path / "x.memsure").write_bytes(whole[:at])
        assert run("snapshot", str(tmp_path / "x.memsure"), "--by", "type") in (0, 2)
        err = capsys.readouterr().err
        assert "Traceback" not in err and "failed (not" not in err, (at, err)


def test_embedded_snapshots_are_chosen_by_their_moment(tmp_path, capsys):
    at_exit, at_peak = Heap("exit_", moment="exit"), Heap("peak_", moment="peak")
    for h, n in ((at_exit, 2), (at_peak, 5)):
        for _ in range(n):
            h.add(h.type("m.Thing"), 100)
    _core.write(str(tmp_path / "x.memsure"), {**at_exit.tables(), **at_peak.tables()})
    for words, n in (([], 2), (["--at", "exit"], 2), (["--at", "peak"], 5)):
        assert run("snapshot", str(tmp_path / "x.memsure"), "--json", *words) == 0
        assert json.loads(capsys.readouterr().out)["types"][0]["objects"] == n


# -- progress, threads

def test_one_question_at_a_time(here):
    import threading

    s = opened("run.memsure")
    errors, done = [], []

    def ask():
        for _ in range(200):
            try:
                done.append(len(s.sums("type")))
            except RuntimeError as e:
                errors.append(str(e))
    threads = [threading.Thread(target=ask) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert set(done) == {done[0]} and all("one thread at a time" in e for e in errors)


def test_wrong_arguments_are_exceptions(here):
    s = opened("run.memsure")
    for call in (lambda: s.node(s.nodes), lambda: s.node(-1), lambda: s.why("kind", [0]), lambda: s.sums("line"), lambda: s.holders(1 << 40, 1, 1, 1),
                 lambda: s.why("node", [1 << 31]), lambda: s.table("edges"), lambda: s.children("x", 1), lambda: s.below("type", [1], [1 << 33])):
        with pytest.raises((IndexError, ValueError, TypeError, OverflowError)):
            call()
    assert s.text(1 << 40) == "" and s.find(1) is None


def test_the_answers_need_no_copy_of_the_file(tmp_path):
    """A snapshot stays readable while it is replaced, and is closed when the last holder goes."""
    path = synthetic.shop(products=5).write(tmp_path / "x.memsure")
    s = opened(path)
    os.replace(synthetic.empty().write(tmp_path / "y.memsure"), path)
    assert s.objects > 100 and s.node(0)[6] > 1000


def test_asking_imports_little(here):
    code = "import sys; before = set(sys.modules); from memsure.cli import main; main(['snapshot', 'run.memsure']); " \
           "print(sorted(m for m in set(sys.modules) - before if m.split('.')[0] in ('argparse', 'inspect', 'dataclasses', 'typing', 'pandas', 'numpy')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


class Terminal:
    encoding = "utf-8"

    def __init__(self):
        self.written = ""

    def isatty(self):
        return True

    def fileno(self):
        raise OSError("no file")

    def write(self, s):
        self.written += s

    def flush(self):
        pass


def test_progress_is_one_line_that_goes_away(monkeypatch):
    import time

    from memsure import progress as module
    monkeypatch.setattr(module.Progress, "AFTER", 0.01)
    monkeypatch.setattr(module.Progress, "EACH", 0.01)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with module.Progress("reading x.memsure") as progress:
        until = time.monotonic() + 10
        while "reading x.memsure" not in terminal.written and time.monotonic() < until:
            time.sleep(0.01)
        progress.say("who holds most")
        while "who holds most" not in terminal.written and time.monotonic() < until:
            time.sleep(0.01)
    assert "\rreading x.memsure …" in terminal.written and "\rwho holds most …" in terminal.written
    assert "\n" not in terminal.written and terminal.written.endswith(" \r")


def test_in_a_pipe_a_long_step_is_one_line(monkeypatch, capsys):
    import time

    from memsure import progress as module
    monkeypatch.setattr(module.Progress, "PIPED", 0.01)
    until, err = time.monotonic() + 10, ""
    with module.Progress("reading x.memsure"):
        while "\n" not in err and time.monotonic() < until:
            time.sleep(0.03)
            err += capsys.readouterr().err
        time.sleep(0.05)
    assert err + capsys.readouterr().err == "note: reading x.memsure …\n"


def test_no_progress_where_nobody_watches(here, capsys):
    assert run("snapshot", "run.memsure") == 0
    assert capsys.readouterr().err == ""


def test_what_two_hold_together_is_freed_by_emptying_both(tmp_path):
    h = Heap()
    item = h.type("m.Item")
    items = [h.add(item, 100) for _ in range(50)]
    box = h.list(items)
    table = h.dict([(h.str(f"k{i}", key=False), v) for i, v in enumerate(items)])
    h.module("m", [("BOX", box), ("TABLE", table)])
    path = h.write(tmp_path / "x.memsure")
    found = snap.Snapshot.open(path).why("m.Item")
    nodes, freed = found.together()
    assert found.cut is None and set(nodes) == {h.number[box], h.number[table]} and freed == 50 * (100 + 56)
    assert "empty both m.BOX and m.TABLE" in snaptext.why(found, Paper(100)) or "empty both m.TABLE and m.BOX" in snaptext.why(found, Paper(100))
    assert sorted(found.data()["together"]["paths"]) == [["module m", ".BOX"], ["module m", ".TABLE"]]
    assert found.snap.core.freed([h.number[box]])[0] == 0 and found.snap.core.freed([]) == (0, 0, 0)
