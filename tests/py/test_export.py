"""Exports, read by the programs they are meant for: Go's pprof, speedscope's own importer (from npm, run by node), Python's csv module,
and strict readers where a format has no program of its own. Where a program cannot be had, its tests say so and are skipped."""

import csv
import gzip
import io
import json
import math
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import synthetic
from conftest import MEMSURE, clean_env
from synthetic import KIB, MIB, Build

from memsure import cli, export, recording

GO = shutil.which("go") or "/usr/local/go/bin/go"
FORMATS = ("speedscope", "pprof", "collapsed", "csv")
PPROF = {"alloc_objects": "allocated_blocks", "alloc_space": "allocated_bytes", "inuse_objects": "live_blocks",
         "inuse_space": "live_bytes", "peak_space": "peak_bytes"}
BYTES = {"live at the peak": "peak_bytes", "allocated": "allocated_bytes", "live at the end": "live_bytes"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# -- recordings

def fib_like(folder, mode="exact", pid=4121, **info):
    """A small tree with all that names can have: two files with one function, recursion, places without Python."""
    b = Build(cwd=os.fspath(folder), command="app.py", seconds=2.0, mode=mode, pid=pid, **info)
    app, lib = os.path.join(folder, "app.py"), os.path.join(folder, "lib", "tree.py")
    main = b.site(app, "<module>", 30, 0, 6, allocated_blocks=1, allocated_bytes=64, live_blocks=1, live_bytes=64)
    load = b.site(app, "load", 12, 4, 9, allocated_blocks=100, allocated_bytes=5 * MIB + 1, live_blocks=10, live_bytes=MIB)
    again = b.site(app, "load", 12, 20, 29, allocated_blocks=7, allocated_bytes=700)        # the same line, another instruction
    other = b.site(lib, "load", 3, allocated_blocks=50, allocated_bytes=3 * KIB, live_blocks=50, live_bytes=3 * KIB)
    top = b.site(lib, "<module>", 1, flags=4, allocated_blocks=9, allocated_bytes=900)
    none = b.site("", "", -1, flags=1, allocated_blocks=5, allocated_bytes=555, live_blocks=5, live_bytes=555)
    early = b.site("", "", 0, flags=9, allocated_blocks=3, allocated_bytes=333)
    ours = b.site("", "", 0, flags=2, allocated_blocks=2, allocated_bytes=22)
    a = b.node(0, main, 1, 64, 64, 64)
    c = b.node(a, load, 9, 5 * MIB + 1, MIB, 2 * MIB)
    b.node(a, again, 1, 700)
    d = b.node(c, load, 1, 12.0, 0, 0)
    b.node(d, other, 5, 3 * KIB, 3 * KIB, 3 * KIB)
    b.node(a, top, 2, 900)
    b.node(0, none, 1, 555, 555, 555)
    b.node(0, early, 1, 333)
    b.node(0, ours, 1, 22)
    return b


def session(folder, name="run.memsure"):
    os.makedirs(name, exist_ok=True)
    for k, pid in enumerate((4121, 4122)):
        fib_like(folder, pid=pid, start_unix_ns=synthetic.START + k).write(f"{name}/{pid}-{k}.memsure")
    return name


def real(folder, *options):
    """A program recorded by memsure itself."""
    (folder / "app.py").write_text("""
def leaf(n):
    return [bytes(900) for _ in range(n)]
def kept(n):
    return leaf(n)
def dropped(n):
    return len(leaf(n))
keep = kept(9000)
dropped(9000)
large = bytearray(3 << 20)
""".lstrip())
    done = subprocess.run([*MEMSURE, "run", "-q", "-o", "run.memsure", *options, "app.py"], cwd=folder, env=clean_env(),
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"memsure run does not work here: {done.stderr.strip()[:200]}")
    return "run.memsure"


def recorded(kind, folder):
    if kind == "session":
        return session(folder)
    if kind in ("real", "real exact"):
        return real(folder, *(["--exact"] if kind == "real exact" else []))
    build = fib_like(folder, "line" if kind == "sampled" else "exact") if kind in ("exact", "sampled") else getattr(synthetic, kind)(folder)
    build.write("run.memsure")
    return "run.memsure"


KINDS = ("exact", "sampled", "growing", "healthy", "session", "real", "real exact")


def expected(path):
    """{column: sum} over the stacks, or over the lines where a process has none, read without recording.py's help."""
    from memsure import _core

    files = sorted(Path(path).glob("*.memsure")) if os.path.isdir(path) else [path]
    sums = dict.fromkeys(PPROF.values(), 0)
    for name in files:
        f = _core.open(os.fspath(name))
        table = "nodes" if any(f.column("nodes", "allocated_bytes")) else "sites"
        for column in sums:
            sums[column] += math.fsum(f.column(table, column))
    return sums


def exported(path, to, metric=None):
    out = f"out{export.EXTENSIONS[to]}"
    assert export.main(recording.load(path), to, out, metric) == 0
    return Path(out)


# -- pprof

def pprof(*args):
    if not os.access(GO, os.X_OK):
        pytest.skip("Go is not installed: its pprof tool is the reader of this format")
    done = subprocess.run([GO, "tool", "pprof", *args], capture_output=True, text=True, env={**os.environ, "GOFLAGS": "", "GOTOOLCHAIN": "local"})
    if done.returncode and "no such tool" in done.stderr:
        pytest.skip(f"this Go has no pprof: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("kind", KINDS)
def test_go_reads_the_totals_of_the_recording(kind, here):
    path = recorded(kind, here)
    out = exported(path, "pprof")
    for sample, column in PPROF.items():
        shown = pprof("-top", "-nodefraction=0", "-nodecount=100000", "-unit=B", f"-sample_index={sample}", out)
        total = re.search(r"of ([\d.]+)B? total", shown.stdout)
        want = round(expected(path)[column])
        if total is None:
            assert want == 0, shown.stdout
            continue
        assert float(total[1]) == want, shown.stdout
        rows = re.findall(r"^ *(\d+)B? +[\d.e-]+% +[\d.e-]+% ", shown.stdout, re.M)
        assert sum(map(int, rows)) == want


def test_go_reads_names_lines_and_words(here):
    out = exported(recorded("exact", here), "pprof")
    top = pprof("-top", "-nodefraction=0", out).stdout
    assert "File: app.py" in top and "Type: peak_space" in top
    names = {line.split("%")[-1].strip() for line in top.splitlines() if line.count("%") == 3}
    assert names >= {"<module> app.py", "load app.py", "load lib/tree.py", "(no Python frame)"}
    lines = pprof("-top", "-lines", "-nodefraction=0", "-sample_index=alloc_space", out).stdout
    assert f"load app.py {here}/app.py:12" in lines
    assert "exact" in pprof("-comments", out).stdout.splitlines()
    tree = pprof("-traces", "-sample_index=inuse_space", out).stdout
    assert re.search(r"3kB\s+load lib/tree.py\n\s+load app.py\n\s+load app.py\n\s+<module> app.py\n", tree), tree
    assert "PeriodType: space bytes\nPeriod: 1\n" in pprof("-raw", out).stdout
    assert "Period: 524288" in pprof("-raw", exported(recorded("sampled", here), "pprof")).stdout


@pytest.mark.parametrize("metric, sample", [("peak", "peak_space"), ("allocated", "alloc_space"), ("live", "inuse_space")])
def test_the_metric_is_what_pprof_shows_first(metric, sample, here):
    assert f"Type: {sample}" in pprof("-top", exported(recorded("exact", here), "pprof", metric)).stdout


def test_pprof_is_gzip_of_the_same_bytes_each_time(here):
    path = recorded("exact", here)
    first, second = exported(path, "pprof").read_bytes(), exported(path, "pprof").read_bytes()
    assert first == second and gzip.decompress(first)


# -- speedscope

IMPORTER = r"""
// Runs the importer inside speedscope's published bundle, and stops before its page would start.
const fs = require("fs"), path = require("path"), dir = path.join(process.argv[2], "dist/release");
const bundle = fs.readdirSync(dir).find(name => /^speedscope[-.].*\.js$/.test(name));
let code = fs.readFileSync(path.join(dir, bundle), "utf8");
const exported = /var (\w+)=\{\};[\w$]+\(\1,\{[^}]*importProfilesFromArrayBuffer/.exec(code)[1];
const start = new RegExp(`var \\w+=Promise\\.resolve\\(\\)\\.then\\(\\(\\)=>\\((\\w+)\\(\\),${exported}\\)\\)`);
code = code.replace(start, (all, init) => `${init}();globalThis.importer=${exported};throw "ready";${all}`);
const nothing = new Proxy(function () {}, {get: (t, k) => k === Symbol.toPrimitive ? () => "" : nothing,
    apply: () => nothing, construct: () => nothing, set: () => true});
globalThis.window = globalThis;
for (const name of ["document", "location", "localStorage"])
    Object.defineProperty(globalThis, name, {value: nothing, configurable: true});
try { (0, eval)(code); } catch (e) { if (e !== "ready") throw e; }
const log = console.log;
console.log = () => {};
(async () => {
    const b = fs.readFileSync(process.argv[3]);
    const group = await importer.importProfilesFromArrayBuffer(path.basename(process.argv[3]),
        b.buffer.slice(b.byteOffset, b.byteOffset + b.length));
    log(JSON.stringify(group && {name: group.name, first: group.indexToView, profiles: group.profiles.map(p => {
        const frames = [], stacks = [];
        p.forEachFrame(f => frames.push([f.name, f.file, f.line, f.getSelfWeight(), f.getTotalWeight()]));
        let stack = [], last = 0;
        const add = at => { if (at > last) stacks.push([stack.join(";"), at - last]); last = at; };
        p.forEachCall((node, at) => { add(at); stack.push(node.frame.name); }, (node, at) => { add(at); stack.pop(); });
        return {name: p.getName(), unit: p.getWeightUnit(), total: p.getTotalWeight(), frames, stacks};
    })}));
})();
"""


@pytest.fixture(scope="session")
def speedscope(tmp_path_factory):
    """speedscope's importer: file -> what it understood."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed: speedscope's importer runs under node")
    folder = tmp_path_factory.mktemp("speedscope")
    (folder / "package.json").write_text("{}")
    try:
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "speedscope@1.25.0"], cwd=folder,
                              capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip("npm could not install speedscope within 120 s")
    if done.returncode:
        pytest.skip(f"npm cannot install speedscope: {done.stderr.strip().splitlines()[-1:]}")
    (folder / "import.js").write_text(IMPORTER)

    def read(file):
        done = subprocess.run(["node", folder / "import.js", folder / "node_modules/speedscope", file], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    read.schema = json.loads((folder / "node_modules/speedscope/dist/release/file-format-schema.json").read_text())
    return read


def conforms(value, schema, root):
    """What of a JSON schema speedscope's uses: $ref, anyOf, const, enum, type, properties, required, items."""
    if "$ref" in schema:
        schema = {**root["definitions"][schema["$ref"].rpartition("/")[2]], **{k: v for k, v in schema.items() if k != "$ref"}}
    assert set(schema) <= {"$schema", "definitions", "anyOf", "const", "enum", "type", "properties", "required", "items", "title"}, set(schema)
    if "anyOf" in schema:
        return any(conforms(value, s, root) for s in schema["anyOf"])
    types = {"object": dict, "array": list, "string": str, "number": (int, float)}
    return ((value == schema["const"] if "const" in schema else True) and (value in schema["enum"] if "enum" in schema else True)
            and isinstance(value, types[schema["type"]]) and (not isinstance(value, dict) or
            all(k in value for k in schema.get("required", ())) and
            all(conforms(value[k], s, root) for k, s in schema.get("properties", {}).items() if k in value))
            and (not isinstance(value, list) or all(conforms(v, schema["items"], root) for v in value)))


@pytest.mark.parametrize("kind", KINDS)
def test_speedscope_reads_the_totals_of_the_recording(kind, here, speedscope):
    path = recorded(kind, here)
    out = exported(path, "speedscope")
    assert conforms(json.loads(out.read_bytes()), speedscope.schema, speedscope.schema)
    group = speedscope(out)
    assert group["name"].startswith(recording.load(path).first.info["command"])
    assert [p["name"].split(" (")[0] for p in group["profiles"]] == list(BYTES)
    sums = expected(path)
    for p, column in zip(group["profiles"], BYTES.values()):
        assert p["unit"] == "bytes"
        assert p["total"] == round(sums[column]) == sum(weight for _, weight in p["stacks"])


def test_speedscope_reads_stacks_names_and_words(here, speedscope):
    path = recorded("exact", here)
    group = speedscope(exported(path, "speedscope"))
    assert group["first"] == 0 and speedscope(exported(path, "speedscope", "live"))["first"] == 2
    assert [p["name"] for p in group["profiles"]] == [f"{words} (exact)" for words in BYTES]
    assert dict(group["profiles"][1]["stacks"]) == {
        "<module> app.py:30": 64,
        "<module> app.py:30;load app.py:12": 5 * MIB + 1 + 700,
        "<module> app.py:30;load app.py:12;load app.py:12": 12,
        "<module> app.py:30;load app.py:12;load app.py:12;load lib/tree.py:3": 3 * KIB,
        "<module> app.py:30;<module> lib/tree.py:1": 900,
        "(no Python frame)": 555, "(before Python started)": 333, "(memsure itself)": 22}
    frames = {f[0]: f[1:3] for f in group["profiles"][1]["frames"]}
    assert frames["load lib/tree.py:3"] == [f"{here}/lib/tree.py", 3]
    assert frames["(no Python frame)"] == [None, None]
    sampled = speedscope(exported(recorded("sampled", here), "speedscope"))
    assert sampled["profiles"][0]["name"] == "live at the peak (estimated from 22 sampled stacks)"


@pytest.mark.parametrize("to", ("speedscope", "pprof", "collapsed"))
def test_the_formats_hold_the_same_stacks(to, here, speedscope):
    """speedscope reads all three; each holds what the other two hold."""
    path = recorded("growing", here)
    p = speedscope(exported(path, to, "allocated"))["profiles"]
    p = p[1] if to == "speedscope" else p[0]
    want = round(expected(path)["allocated_bytes"])
    assert p["total"] == want
    stacks = {re.sub(r"( \S+)?:\d+", "", k): v for k, v in p["stacks"]}
    assert stacks == {"handle": 400 * MIB + 2048 * MIB, "handle;Product.__init__": 900 * MIB, "handle;Catalog.load": 90 * MIB} or \
        {k: v for k, v in stacks.items() if k != "handle"} == {"handle;Product.__init__": 900 * MIB, "handle;Catalog.load": 90 * MIB}


def test_deep_recursion_stays_small(here):
    b = Build(cwd=os.fspath(here), mode="exact")
    site = b.site("fib.py", "fib", 2, allocated_blocks=5000, allocated_bytes=5000)
    node = 0
    for _ in range(5000):
        node = b.node(node, site, 1, 1)
    b.write("run.memsure")
    assert exported("run.memsure", "speedscope").stat().st_size < 5000 * 80


# -- collapsed

@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", export.METRICS)
def test_collapsed_is_stacks_and_integers(kind, metric, here):
    path = recorded(kind, here)
    total = 0
    for line in exported(path, "collapsed", metric).read_text(encoding="utf-8").split("\n")[:-1]:
        stack, value = re.fullmatch(r"(.+) ([1-9]\d*)", line).groups()     # what flamegraph.pl and inferno match
        assert all(frame and frame == frame.strip() for frame in stack.split(";"))
        total += int(value)
    assert total == round(expected(path)[export.METRICS[metric][0]])


def test_names_with_separators_stay_one_frame(here, speedscope):
    b = Build(cwd=os.fspath(here), mode="exact")
    s = b.site("<a;b\nc>", "f\tg", 3, allocated_blocks=1, allocated_bytes=70)
    b.node(0, s, 1, 70, 70, 70)
    b.write("run.memsure")
    out = exported("run.memsure", "collapsed")
    assert out.read_text() == "f?g <a:b?c>:3 70\n"
    assert speedscope(out)["profiles"][0]["stacks"] == [["f?g <a:b?c>:3", 70]]
    assert speedscope(exported("run.memsure", "speedscope"))["profiles"][0]["total"] == 70


# -- csv

@pytest.mark.parametrize("kind", (*KINDS, "churn"))
def test_csv_has_every_counter_of_every_line(kind, here):
    path = recorded(kind, here)
    data = exported(path, "csv").read_bytes().decode("utf-8")
    assert data.endswith("\r\n") and "\n" not in data.replace("\r\n", "")
    rows = list(csv.DictReader(io.StringIO(data, newline="")))
    rec = recording.load(path)
    keys = [(r["file"], r["line"], r["function"], r["code"]) for r in rows]
    assert len(set(keys)) == len(keys) == len(set((rec.lines.file(i), rec.lines.line(i), rec.lines.function(i), rec.lines.flags(i) & ~4)
                                                  for i in range(len(rec.lines))))
    for counter in export.COUNTERS:
        assert sum(int(r[counter]) for r in rows) == sum(sum(p.column("sites", counter)) for p in rec.processes), counter
    lives = [sum(int(r[name]) for r in rows) for name in export.LIFETIMES]
    assert lives == [sum(sum(p.column("sites", "lifetimes")[k::12]) for p in rec.processes) for k in range(12)]
    peaks = [int(r["peak_bytes"]) for r in rows]
    assert peaks == sorted(peaks, reverse=True)


def test_csv_quotes_and_joins_instructions_of_a_line(here):
    b = fib_like(here)
    b.site('a "b", c.py', "f\r\ng", 1, allocated_blocks=1, allocated_bytes=1 << 63)
    b.write("run.memsure")
    rows = {(r["file"], int(r["line"]), r["function"]): r for r in
            csv.DictReader(io.StringIO(exported("run.memsure", "csv").read_bytes().decode(), newline=""))}
    assert rows['a "b", c.py', 1, "f\r\ng"]["allocated_bytes"] == str(1 << 63)
    assert rows[f"{here}/app.py", 12, "load"]["allocated_blocks"] == "107"
    assert {r["code"] for r in rows.values()} == {"own", "none", "before", "memsure"} or ("", -1, "") in rows


# -- recordings that lack something

def test_without_stacks_lines_are_stacks_of_depth_one(here, capsys):
    b = fib_like(here, "line")
    b.nodes = b.nodes[:1]
    b.write("run.memsure")
    file = json.loads(exported("run.memsure", "speedscope").read_bytes())
    assert all(p["name"].endswith(" (exact, by line: no stack was sampled)") for p in file["profiles"])
    assert [p["endValue"] for p in file["profiles"]] == [b.total(c) for c in BYTES.values()]
    err = capsys.readouterr().err
    assert err.startswith("note: no stack to show: exact, by line: no stack was sampled\n  try: memsure run --exact app.py")
    text = exported("run.memsure", "collapsed", "allocated").read_text()
    assert f"load app.py:12 {5 * MIB + 701}\n" in text and ";" not in text
    assert "exact, by line: no stack was sampled" in pprof("-comments", exported("run.memsure", "pprof")).stdout


def test_a_session_in_which_one_process_has_no_stacks(here):
    session(here)
    b = fib_like(here, pid=4123)
    b.nodes = b.nodes[:1]
    b.write("run.memsure/4123-2.memsure")
    stacks = export.Stacks(recording.load("run.memsure"))
    assert stacks.basis == "exact; 1 of 3 processes by line, without any"
    assert sum(stacks.values["allocated_bytes"]) == round(expected("run.memsure")["allocated_bytes"])


def test_estimates_are_rounded_so_that_they_add_up(here):
    b = Build(cwd=os.fspath(here))
    node = 0
    for i in range(300):
        node = b.node(node if i % 5 else 0, b.site("a.py", f"f{i}", i + 1, allocated_blocks=1, allocated_bytes=1), 1, 1000 + i / 7, i / 3)
    b.write("run.memsure")
    stacks = export.Stacks(recording.load("run.memsure"))
    exact = sum(1000 + i / 7 for i in range(300))
    assert sum(stacks.values["allocated_bytes"]) == round(exact)
    assert all(abs(stacks.values["allocated_bytes"][i] - 1000 - i / 7) < 1 for i in range(300))


def test_bytes_at_the_root_are_not_lost(here):
    b = fib_like(here)
    b.nodes[0] = (0, 0, 0, 4.0, 288.0, 0.0, 1.0, 72.0, 72.0)
    b.write("run.memsure")
    assert "\n(stack unknown) 288\n" in exported("run.memsure", "collapsed", "allocated").read_text()
    assert json.loads(exported("run.memsure", "speedscope").read_bytes())["profiles"][1]["endValue"] == round(expected("run.memsure")["allocated_bytes"])


def test_wild_nodes_break_nothing(here):
    b = fib_like(here)
    s = 1
    b.nodes += [(4_000_000_000, s, 1, 1.0, 10.0, 0.0, 0.0, 0.0, 0.0), (len(b.nodes) + 5, s, 1, 1.0, 10.0, 0.0, 0.0, 0.0, 0.0),
                (1, 4_000_000_000, 1, math.nan, math.inf, 0.0, -5.0, 1e300, -math.inf), (1, 999_999, 1, 1.0, 10.0, 0, 0, 0, 0)]
    b.write("run.memsure")
    for to in FORMATS:
        assert exported("run.memsure", to).stat().st_size
    pprof("-top", "out.pb.gz")


@pytest.mark.parametrize("share", (0.3, 0.6, 0.9, 0.97))
def test_a_cut_file_is_exported_as_far_as_it_goes(share, here, capsys):
    synthetic.growing(here).write("whole.memsure")
    data = Path("whole.memsure").read_bytes()
    Path("run.memsure").write_bytes(data[: int(len(data) * share)])
    for to in FORMATS:
        exported("run.memsure", to)
    assert "warning: " in capsys.readouterr().err


# -- the command

def memsure(*args, **more):
    return subprocess.run([*MEMSURE, *args], capture_output=True, env=clean_env(), **more)


@pytest.mark.parametrize("to", FORMATS)
def test_the_file_stands_beside_the_recording(to, here, capsys):
    os.mkdir("sub")
    fib_like(here).write("sub/run.memsure")
    assert cli.main(["export", "sub/run.memsure", "--to", to]) == 0
    made = Path("sub/run" + export.EXTENSIONS[to])
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert sorted(os.listdir("sub")) == sorted(["run.memsure", made.name])
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith(f"{made}  ")
    before = made.read_bytes()
    made.write_bytes(b"mine")
    assert cli.main(["export", "sub/run.memsure", "--to", to]) == 2
    assert capsys.readouterr().err.split() == (f"error: '{made}' exists already try: memsure export sub/run.memsure --to {to} -o {made} "
                                               "(replaces it)").split()
    assert made.read_bytes() == b"mine"
    assert cli.main(["export", "sub/run.memsure", "--to", to, "-o", str(made)]) == 0
    assert made.read_bytes() == before


def test_a_folder_and_one_of_its_processes(here, capsys):
    session(here)
    assert cli.main(["export", "run.memsure/", "--to", "csv"]) == 0
    assert cli.main(["export", "run.memsure", "--to", "csv", "--process", "4122"]) == 0
    assert Path("run.csv").exists() and Path("run-4122.csv").exists()
    both = json.loads(exported("run.memsure", "speedscope").read_bytes())
    assert both["name"].endswith(" · 2 processes")
    assert both["profiles"][1]["endValue"] == 2 * (5 * MIB + 1 + 12 + 700 + 64 + 3 * KIB + 900 + 555 + 333 + 22)


@pytest.mark.parametrize("to", FORMATS)
def test_stdout_gets_the_bytes_and_nothing_else(to, here):
    path = recorded("sampled", here)
    done = memsure("export", path, "--to", to, "-o", "-")
    assert done.returncode == 0
    assert done.stdout == exported(path, to).read_bytes()
    done = memsure("export", path, "--to", to, "-o", "/dev/stdout")
    assert done.stdout == exported(path, to).read_bytes()


def test_a_reader_that_goes_away_is_no_error(here):
    synthetic.large(here, 3000, 10, 20, 9000).write("run.memsure")
    with subprocess.Popen([*MEMSURE, "export", "run.memsure", "--to", "csv", "-o", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=clean_env()) as p:
        p.stdout.read(10)
        p.stdout.close()
        assert p.stderr.read() == b"" and p.wait() == 0


@pytest.mark.parametrize("out, sentence", [
    ("nowhere/x.json", "cannot write 'nowhere/x.json': no such file or directory"), (".", "cannot write '.': is a directory"),
    ("run.memsure", "'run.memsure' is the recording itself"), ("./link", "'./link' is the recording itself")])
def test_what_cannot_be_written_is_said_in_one_sentence(out, sentence, here, capsys):
    fib_like(here).write("run.memsure")
    os.symlink("run.memsure", "link")
    before = Path("run.memsure").read_bytes()
    assert cli.main(["export", "run.memsure", "--to", "speedscope", "-o", out]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"error: {sentence}" and second.startswith("  try: memsure export run.memsure --to speedscope")
    assert Path("run.memsure").read_bytes() == before and sorted(os.listdir()) == ["link", "run.memsure"]


def test_a_full_disk_leaves_the_old_file(here, monkeypatch, capsys):
    fib_like(here).write("run.memsure")
    Path("x.csv").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert cli.main(["export", "run.memsure", "--to", "csv", "-o", "x.csv"]) == 2
    assert "error: cannot write 'x.csv': no space left on device" in capsys.readouterr().err
    assert Path("x.csv").read_bytes() == b"old" and sorted(os.listdir()) == ["run.memsure", "x.csv"]


def test_a_file_that_appears_meanwhile_is_kept(here, monkeypatch, capsys):
    fib_like(here).write("run.memsure")
    monkeypatch.setattr(os, "fsync", lambda fd: Path("run.csv").write_bytes(b"theirs"))
    assert cli.main(["export", "run.memsure", "--to", "csv"]) == 2
    assert "'run.csv' exists already" in capsys.readouterr().err
    assert Path("run.csv").read_bytes() == b"theirs" and sorted(os.listdir()) == ["run.csv", "run.memsure"]


def test_replacing_goes_through_links_and_keeps_the_mode(here):
    fib_like(here).write("run.memsure")
    Path("real.csv").write_bytes(b"")
    os.chmod("real.csv", 0o644)
    os.symlink("real.csv", "x.csv")
    assert cli.main(["export", "run.memsure", "--to", "csv", "-o", "x.csv"]) == 0
    assert os.path.islink("x.csv") and Path("real.csv").stat().st_size and stat.S_IMODE(os.stat("real.csv").st_mode) == 0o644


def test_a_large_recording_is_exported_in_time(here):
    import time

    synthetic.large(here).write("run.memsure")
    for to in FORMATS:
        start = time.process_time()
        exported("run.memsure", to)
        assert time.process_time() - start < 10, to
