"""`memsure export --to heapsnapshot`: the form by a strict reader here, and everything by Chrome's own loader (from npm, run by node): it
must find the same objects, and work out the same retained sizes as memsure did."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import synthetic_snapshot as synthetic
from conftest import clean_env

from memsure import _core, cli

NODE = ("type", "name", "id", "self_size", "edge_count", "trace_node_id", "detachedness")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def exported(path="run.memsure"):
    assert cli.main(["export", path, "--to", "heapsnapshot", "-o", "out.heapsnapshot"]) == 0
    return Path("out.heapsnapshot")


def rows(values, n):
    assert len(values) % n == 0
    return [values[i:i + n] for i in range(0, len(values), n)]


def check_form(data):
    """Every number points at something -> nodes [(kind, name, size, [(kind, name, target)])]."""
    meta, strings = data["snapshot"]["meta"], data["strings"]
    assert tuple(meta["node_fields"]) == NODE and meta["edge_fields"] == ["type", "name_or_index", "to_node"]
    nodes, edges = rows(data["nodes"], len(NODE)), rows(data["edges"], 3)
    assert len(nodes) == data["snapshot"]["node_count"] and len(edges) == data["snapshot"]["edge_count"]
    assert sum(n[4] for n in nodes) == len(edges)
    assert len({n[2] for n in nodes}) == len(nodes)
    kinds, edge_kinds = meta["node_types"][0], meta["edge_types"][0]
    functions = rows(data["trace_function_infos"], len(meta["trace_function_info_fields"]))
    assert len(functions) == data["snapshot"]["trace_function_count"]
    traces = {1: data["trace_tree"]} | {t[0]: t for t in rows(data["trace_tree"][4], 5)}
    out, at = [], 0
    for kind, name, _, size, n, trace, _ in nodes:
        mine = []
        for k, label, to in edges[at:at + n]:
            assert to % len(NODE) == 0 and to // len(NODE) < len(nodes)
            mine.append((edge_kinds[k], label if edge_kinds[k] == "element" else strings[label], to // len(NODE)))
        at += n
        born = None
        if trace:
            info = functions[traces[trace][1]]
            born = strings[info[2]], info[4]
        out.append((kinds[kind], strings[name], size, mine, born))
    return out


def test_the_form(here):
    h = synthetic.shop(products=30)
    h.write("run.memsure")
    nodes = check_form(json.loads(exported().read_text()))
    assert len(nodes) == len(h.final) and nodes[0][:2] == ("synthetic", "(root)")
    assert [n[2] for n in nodes] == [n["size"] for n in h.final]
    at = {name: i for i, (_, name, *_rest) in enumerate(nodes)}
    catalog = nodes[at["shop.cache.Catalog"]]
    assert catalog[0] == "object" and catalog[4] == ("/srv/app/shop/shop.py", 8)
    (kind, name, table), = catalog[3]
    assert (kind, name) == ("property", "_by_key")
    assert [e[:2] for e in nodes[table][3][:2]] == [("internal", "(key)"), ("element", 0)]
    weak = nodes[at["weakref.ReferenceType"]]
    assert [e[:2] for e in weak[3]] == [("weak", "referent")]
    assert any(n[0] == "synthetic" and n[1] == "load in shop/img.py" for n in nodes)


def test_names_that_are_no_text(here):
    h = synthetic.Heap()
    h.add(h.type('a"b\\c\n\x01\u2028é😀'), 16)
    tables = h.finish() and h.tables()
    data = bytearray(tables["strings"]["data"][2])
    at = data.index("é".encode())
    data[at] = 0xFF         # no UTF-8
    tables["strings"]["data"] = ("u8", 1, bytes(data))
    _core.write("run.memsure", tables)
    names = [n[1] for n in check_form(json.loads(exported().read_bytes().decode("utf-8")))]
    assert 'a"b\\c\n\x01\u2028\ufffd\ufffd😀' in names


def test_it_stands_beside_the_snapshot_and_replaces_nothing(here, capsys):
    synthetic.shop(products=3).write("run.memsure")
    assert cli.main(["export", "run.memsure", "--to", "heapsnapshot"]) == 0
    assert Path("run.heapsnapshot").exists()
    assert cli.main(["export", "run.memsure", "--to", "heapsnapshot"]) == 2
    assert "'run.heapsnapshot' exists already" in capsys.readouterr().err
    assert cli.main(["export", "run.memsure", "--to", "heapsnapshot", "-o", "run.memsure"]) == 2
    assert "'run.memsure' is the snapshot itself" in capsys.readouterr().err
    assert cli.main(["export", "run.memsure", "--to", "csv", "--at", "peak"]) == 2
    assert sorted(os.listdir()) == ["run.heapsnapshot", "run.memsure"]


def test_stdout_and_a_reader_that_goes_away(here):
    synthetic.shop(products=2000).write("run.memsure")
    words = [sys.executable, "-m", "memsure", "export", "run.memsure", "--to", "heapsnapshot", "-o", "-"]
    done = subprocess.run(words, capture_output=True, env=clean_env())
    assert done.returncode == 0 and done.stdout == exported().read_bytes()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_env()) as p:
        p.stdout.read(10)
        p.stdout.close()
        err = p.stderr.read()
    assert b"Traceback" not in err and b"failed (not" not in err, err


READER = r"""
Promise.withResolvers ??= function () { let resolve, reject; const promise = new Promise((a, b) => { resolve = a; reject = b; }); return {promise, resolve, reject}; };
import fs from "fs";
console.log = console.warn = console.error;
await import("./bundle.mjs");
const {HeapSnapshotLoader, SecondaryInitManager} = globalThis.devtools;
const loader = new HeapSnapshotLoader({sendEvent() {}});
const {port1, port2} = new MessageChannel();
new SecondaryInitManager(port2);
const text = fs.readFileSync(process.argv[2], "utf8");
for (let i = 0; i < text.length; i += 1 << 20) loader.write(text.slice(i, i + (1 << 20)));
loader.close();
const s = await loader.buildSnapshot(port1), nodes = [];
for (const it = s.allNodes(); it.hasNext(); it.next()) {
    const n = it.item();
    nodes.push([n.rawName(), n.selfSize(), n.retainedSize(), n.distance()]);
}
fs.writeSync(1, JSON.stringify({total: s.totalSize, nodes}));
process.exit(0);
"""


@pytest.fixture(scope="session")
def devtools(tmp_path_factory):
    """Chrome's own loader: file -> {total, nodes: [(name, size, retained, distance)]}."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed: Chrome's loader runs under node")
    folder = tmp_path_factory.mktemp("devtools")
    (folder / "package.json").write_text("{}")
    try:
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "chrome-devtools-frontend@1.0.1705227",
                               "esbuild@0.25"], cwd=folder, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip("npm could not install chrome-devtools-frontend within 300 s")
    if done.returncode:
        pytest.skip(f"npm cannot install chrome-devtools-frontend: {done.stderr.strip().splitlines()[-1:]}")
    front = folder / "node_modules/chrome-devtools-frontend/front_end"
    (front / "core/i18n/locales.js").write_text(      # made when DevTools are built
        'export const LOCALES = ["en-US"], BUNDLED_LOCALES = ["en-US"], DEFAULT_LOCALE = "en-US", REMOTE_FETCH_PATTERN = "", LOCAL_FETCH_PATTERN = "";')
    worker = "./node_modules/chrome-devtools-frontend/front_end/entrypoints/heap_snapshot_worker"
    (folder / "entry.ts").write_text(f"""
import {{HeapSnapshotLoader}} from '{worker}/HeapSnapshotLoader.js';
import {{SecondaryInitManager}} from '{worker}/HeapSnapshot.js';
(globalThis as any).devtools = {{HeapSnapshotLoader, SecondaryInitManager}};
""")
    (folder / "read.mjs").write_text(READER)
    done = subprocess.run(["npx", "esbuild", "entry.ts", "--bundle", "--platform=node", "--format=esm", "--outfile=bundle.mjs"], cwd=folder,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    def read(file):
        out = subprocess.run(["node", "read.mjs", os.path.abspath(file)], cwd=folder, capture_output=True, text=True)
        assert out.returncode == 0, out.stderr
        assert "unreachable" not in out.stderr, out.stderr
        return json.loads(out.stdout)
    return read


@pytest.mark.slow
@pytest.mark.parametrize("heap", ["shop", "chain", "empty"])
def test_chrome_works_out_the_same_retained_sizes(heap, devtools, here):
    h = getattr(synthetic, heap)()
    h.write("run.memsure")
    found = devtools(exported())
    assert found["total"] == h.retained[0]
    # what memsure's dominators and Chrome's retain differs by nothing where no globals or implicit references are
    assert [n[2] for n in found["nodes"]][1:] == h.retained[1:]


@pytest.mark.slow
def test_chrome_reads_a_real_program(devtools, here):
    (here / "app.py").write_text("""
import memsure, json, re, collections
class Item:
    def __init__(self, n):
        self.n, self.tags = n, [str(n)]
KEEP = {f"item-{i}": Item(i) for i in range(3000)}
memsure.snapshot("run.memsure")
""")
    subprocess.run([sys.executable, "app.py"], check=True, env=clean_env())
    found = devtools(exported())
    s = _core.snap(_core.open("run.memsure"))
    assert found["total"] == s.node(0)[6] and len(found["nodes"]) == s.nodes
    items = [n for n in found["nodes"] if n[0] == "__main__.Item"]
    assert len(items) == 3000
    mine = sorted(retained for _, retained in s.list("type", [i for i, t in enumerate(s.types()) if t[0] == "__main__.Item"], 5000))
    assert sorted(n[2] for n in items) == mine
