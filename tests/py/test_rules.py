"""Every rule has a planted program, whose finding names rule, line and culprit first, and a twin that looks
alike and is silent under that rule. tests/py/planted/RULE_bad.py marks its line with `# culprit`.

And: what the rules say of themselves (explain, docs/RULES.md), the formats of check, baselines, suppressions."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import synthetic
from conftest import MEMSURE, clean_env
from test_gains import patched
from memsure import _core, fixes, recording, report, rules, text
from memsure.source import Sources

HERE = Path(__file__).parent
PLANTED = HERE / "planted"
NAMES = sorted(p.name[:-7] for p in PLANTED.glob("*_bad.py"))
NAMED = f"planted_by_memsure_{os.getpid()}"     # what a program leaves in the system: another run of the tests has its own
# The others take a second and more, each.
QUICK = {"N2", "N3", "N5", "P3", "C2", "C3", "C4"}


def needed(path):
    """The packages that a planted program asks for: `# needs: numpy`. Where they are not installed, it is skipped."""
    for package, version in re.findall(r"^# needs: (\w+) ?([\d.]*)", path.read_text(), re.M):
        pytest.importorskip(package, version or None)


def found(path, *options):
    """The findings of a program, run under memsure."""
    done = subprocess.run([*MEMSURE, "check", "--format", "json", *options, "--", sys.executable, str(path)], capture_output=True, text=True,
                          env=clean_env({"PLANTED": NAMED}), cwd=path.parent, timeout=120)
    assert done.returncode in (0, 1), done.stderr
    data = json.loads(done.stdout)
    assert done.returncode == (1 if data["findings"] else 0)
    return data


def tier(name):
    return pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)


def huge_pages():
    """Whether a program gets huge pages if it asks for them."""
    try:
        return "[never]" not in Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text()
    except OSError:
        return False


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    for left in Path("/dev/shm").glob(f"{NAMED}_*"):
        left.unlink(missing_ok=True)


@pytest.mark.parametrize("name", list(map(tier, NAMES)))
def test_the_planted_program_is_found(name, tmp_path):
    """And what its finding says to write instead runs."""
    path = PLANTED / f"{name}_bad.py"
    if name == "O6" and not huge_pages():
        pytest.skip("this system has no huge pages")
    needed(path)
    data = found(path)
    assert data["findings"], data["verdict"]
    first = data["findings"][0]
    assert first["rule"] == name.split("_")[0], first
    beside = [path, *PLANTED.glob(f"{name}_*.py")]      # the culprit may stand in a file that it imports
    marked = [(n, p.name) for p in beside for n, line in enumerate(p.read_text().splitlines(), 1) if "# culprit" in line]
    if marked:
        assert (first["line"], os.path.basename(first["file"])) == marked[0], first
        if name == "C2":  # the marked line is another than the one that was measured, and so is its function
            assert first["function"] == "Node.__init__"
    assert first["culprit"]
    assert first["fix"] and first["what"] and 0 < first["confidence"] <= 1
    if first["patch"] and first["patch_file"] == str(path) and ("cachetools" not in str(first["patch"]) or find_spec("cachetools")):
        mended = tmp_path / path.name
        mended.write_text(patched(path.read_text(), first["patch"]))
        for beside in path.parent.glob(f"{name}_*.py"):
            if beside != path:
                (tmp_path / beside.name).write_bytes(beside.read_bytes())
        done = subprocess.run([sys.executable, str(mended)], capture_output=True, text=True, env=clean_env({"PLANTED": NAMED}), cwd=tmp_path, timeout=120)
        assert done.returncode == 0, (first["patch"], done.stderr)


@pytest.mark.parametrize("name", list(map(tier, NAMES)))
def test_its_repaired_twin_is_silent(name):
    rule = name.split("_")[0]
    needed(PLANTED / f"{name}_good.py")
    data = found(PLANTED / f"{name}_good.py")
    assert not [f for f in data["findings"] if f["rule"] == rule], data["findings"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["city", "histogram", "sessionize", "census_load", "http_cache_proxy"])
def test_what_grows_by_the_nature_of_the_program_is_healthy(name):
    """A population; a report of all that was slow; lists that their loops need; what main() holds until its end; a cache that is not full."""
    data = found(HERE.parent / "corpus" / "healthy" / f"{name}.py")
    assert (data["verdict"]["kind"], data["findings"]) == ("healthy", []), data


def test_every_rule_has_a_program_or_a_reason():
    found = {r[0] for r in _core.rules()} | {"R6", "R7"}    # found from the source of a line that another rule measured
    told = {r.id for r in rules.RULES.values() if not r.declined}
    assert found == told, (found - told, told - found)


# -- what the source says

@pytest.mark.parametrize("body, found", [
    ("for k in [k for k in d.entries if k]:\n        print(k)", True),
    ("for k in [k for k, v in d.items() if v]:\n        other.pop(k)", True),
    ("for k in [k for k, v in d.items() if v]:\n        d.get(k)", True),
    ("for k in [k for k, v in d.items() if v]:\n        d.pop(k)", False),
    ("for k in [k for k, v in d.items() if v]:\n        del d[k]", False),
    ("for k in list(d.items()):\n        d[k[0]] = other", False),
    ("for k in [k for k in d.entries if k]:\n        d.drop(k)", False),
    ("gone = [k for k in d if k]\n    for k in gone:\n        d.pop(k)", False),
    ("gone = [k for k in d if k]\n    for k in gone:\n        print(k)", True),
])
def test_a_list_is_needed_where_its_loop_changes_what_it_came_from(body, found, tmp_path):
    app = tmp_path / "app.py"
    app.write_text(f"def f(d, other):\n    {body}\n")
    compile(app.read_text(), "app.py", "exec")
    pattern = fixes.Reader(Sources(str(tmp_path))).confirm("N2", str(app), 2, {})
    assert (pattern is not None) == found


def test_an_import_statement_is_known(tmp_path):
    app = tmp_path / "app.py"
    app.write_text("import os, sys\nfrom os import (\n    path,\n)\nx = 1\ndef f():\n    import re\n    return re\n")
    reader = fixes.Reader(Sources(str(tmp_path)))
    assert [n for n in range(1, 9) if reader.imports(str(app), n)] == [1, 2, 3, 4, 7]


# -- what the rules say of themselves

def test_docs_are_made_of_the_rules():
    written = (HERE.parents[1] / "docs" / "RULES.md").read_text()
    assert written == rules.document(), "python -m memsure.rules > docs/RULES.md"


@pytest.mark.parametrize("width", (60, 80, 120))
def test_each_rule_explains_itself(width):
    for rule in rules.RULES.values():
        shown = rules.explain(rule, text.Paper(width))
        assert shown.startswith(f"{rule.id} · {rule.title[:20]}"[:width - 30])
        for name in ("What happens", "How it is seen", "Wrong", "Right", "Leave it when", "Silence it") if not rule.declined else ("What happens", "Not looked for"):
            assert f"\n{name}" in shown, (rule.id, name)


def cli(*words, **more):
    more.setdefault("cwd", HERE)
    return subprocess.run([*MEMSURE, *map(str, words)], capture_output=True, text=True, env=clean_env({"COLUMNS": "80"}), timeout=60, **more)


def test_explain_on_the_command_line():
    done = cli("explain", "l2")
    assert done.returncode == 0 and done.stdout.startswith("L2 · lru_cache on a method keeps self")
    assert cli("explain").stdout.count("\n") == len(rules.RULES)
    wrong = cli("explain", "L99")
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: there is no rule 'L99'\n  try: memsure explain")


# -- check: exit status, formats, baseline, suppression

@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")      # or one above the folder is found
    return tmp_path


def test_exit_status(here):
    synthetic.healthy(here).write("ok.memsure")
    synthetic.growing(here).write("run.memsure")
    done = cli("check", "ok.memsure", cwd=here)
    assert (done.returncode, done.stdout) == (0, "no findings\n")
    done = cli("check", "run.memsure", cwd=here)
    assert done.returncode == 1
    first, *_, last = done.stdout.splitlines()
    assert re.fullmatch(r"shop/cache\.py:24:20: L1 .* per minute", first), first
    assert re.fullmatch(r"\d+ findings? \(.*1 leak.*\)\. memsure explain L1", last), last
    assert cli("check", cwd=here).returncode == 2
    assert cli("check", "nowhere.memsure", cwd=here).returncode == 2
    (here / "cut.memsure").write_bytes(b"PK\x03\x04")
    done = cli("check", "cut.memsure", cwd=here)
    assert done.returncode == 2 and done.stderr.startswith("error: ")


def test_no_recording_is_written_over(here):
    synthetic.growing(here).write("run.memsure")
    held = (here / "run.memsure").read_bytes()
    for option in ("-o", "--write-baseline"):
        done = cli("check", "run.memsure", option, "run.memsure", cwd=here)
        assert done.returncode == 2 and done.stderr.startswith("error: 'run.memsure' is a recording\n  try: "), done.stderr
    done = cli("check", "run.memsure", "--baseline", "run.memsure", cwd=here)
    assert done.returncode == 2 and "try: memsure check --write-baseline memsure-baseline.json run.memsure" in done.stderr
    assert (here / "run.memsure").read_bytes() == held
    os.rename(here / "run.memsure", here / "kept")
    assert cli("kept", cwd=here).stdout == cli("report", "kept", cwd=here).stdout != "", "whatever it is called"


def test_a_command_is_recorded_first(here):
    (here / "app.py").write_text("import sys\nprint('its own output')\nsys.exit(int(sys.argv[1]))\n")
    done = cli("check", "app.py", "0", cwd=here)
    assert (done.returncode, done.stdout) == (0, "no findings\n") and "its own output" in done.stderr
    assert cli("check", "--", sys.executable, "app.py", "7", cwd=here).returncode == 7, "a program that fails does not pass"
    assert sorted(os.listdir(here)) == ["app.py", "pyproject.toml"], "nothing is left behind"


def test_severity_ignore_and_source(here):
    synthetic.growing(here).write("run.memsure")
    assert cli("check", "run.memsure", "--ignore", "l1,n3", "--severity", "error", cwd=here).returncode == 0
    assert cli("check", "run.memsure", "--severity", "error", cwd=here).returncode == 1
    assert "no rule 'Q7'" in cli("check", "run.memsure", "--ignore", "Q7", cwd=here).stderr
    source = (here / "shop/cache.py").read_text()
    for remark, silent in (("# memsure: ignore[L1]", 1), ("# memsure: ignore[C2, L1]", 1), ("# memsure: ignore", 1),
                           ("# memsure: ignore[C2]", 0), ("# memsure ignore", 0)):
        lines = source.split("\n")
        lines[23] += "   " + remark
        (here / "shop/cache.py").write_text("\n".join(lines))
        done = cli("check", "run.memsure", "--severity", "error", cwd=here)
        assert ("ignored in the source" in done.stdout) == bool(silent), (remark, done.stdout)
        assert ":24:" not in done.stdout or not silent


def test_the_project_file(here):
    synthetic.growing(here).write("run.memsure")
    project = here / "pyproject.toml"
    project.write_text('[tool.memsure]\nignore = ["L1"]\nseverity = "error"\n')
    assert cli("check", "run.memsure", cwd=here).returncode == 0
    project.write_text('[tool.memsure]\npaths = ["other"]\n')
    assert cli("check", "run.memsure", cwd=here).returncode == 0
    project.write_text('[tool.memsure]\npaths = ["shop"]\n')
    assert cli("check", "run.memsure", cwd=here).returncode == 1
    project.write_text('[tool.memsure]\nleast-bytes = 10_000_000_000\n')
    assert cli("check", "run.memsure", cwd=here).returncode == 0
    for wrong in ('[tool.memsure]\nsevrity = "error"\n', '[tool.memsure]\nseverity = "high"\n', "[tool.memsure\n", '[tool.memsure]\nignore = "L1"\n'):
        project.write_text(wrong)
        done = cli("check", "run.memsure", cwd=here)
        assert done.returncode == 2 and done.stderr.startswith("error: ") and "Traceback" not in done.stderr, wrong


def test_a_baseline_knows_what_was_there(here):
    synthetic.growing(here).write("run.memsure")
    assert cli("check", "run.memsure", "--write-baseline", "base.json", cwd=here).returncode == 0
    done = cli("check", "run.memsure", "--baseline", "base.json", cwd=here)
    assert done.returncode == 0 and "in baseline, not shown" in done.stdout
    cache = here / "shop/cache.py"      # what moves down three lines is still known
    lines = cache.read_text().split("\n")
    cache.write_text("\n".join(["", "", "", *lines]))
    os.utime(cache, (synthetic.START // synthetic.SECOND - 86400,) * 2)
    moved = synthetic.growing(here)
    cache.write_text("\n".join(["", "", "", *lines]))
    os.utime(cache, (synthetic.START // synthetic.SECOND - 86400,) * 2)
    moved.sites = [(s[0], s[1], s[2] + 3, s[3] + 3, *s[4:]) if s[0] == moved.strings.get(str(cache)) else s for s in moved.sites]
    moved.write("moved.memsure")
    assert "cache.py:27" in cli("check", "moved.memsure", cwd=here).stdout
    done = cli("check", "moved.memsure", "--baseline", "base.json", cwd=here)
    assert "cache.py" not in done.stdout, done.stdout
    synthetic.cyclic(here).write("new.memsure")
    assert cli("check", "new.memsure", "--baseline", "base.json", cwd=here).returncode == 1
    assert cli("check", "run.memsure", "--baseline", "none.json", cwd=here).returncode == 2


def test_json_names_all_that_a_finding_is(here):
    synthetic.churn(here).write("run.memsure")
    data = json.loads(cli("check", "run.memsure", "--format", "json", cwd=here).stdout)
    first = data["findings"][0]
    assert {"rule", "principle", "verdict", "file", "line", "function", "bytes", "what", "culprit", "path", "fix", "saves_bytes",
            "confidence"} <= set(first)
    assert (first["rule"], first["principle"], first["line"], first["function"]) == ("N3", 6, 15, "render")
    assert first["patch"][0] == {"line": 13, "sign": "-", "text": '    out = ""'}
    whole = report.data(recording.load("run.memsure"))["findings"][0]
    assert {k: v for k, v in first.items() if k != "severity"} == whole, "the same in both"


@pytest.mark.parametrize("run", ("growing", "churn", "cyclic", "healthy"))
def test_every_format_has_every_finding(run, here):
    getattr(synthetic, run)(here).write("run.memsure")
    n = len(json.loads(cli("check", "run.memsure", "--format", "json", cwd=here).stdout)["findings"])
    assert (n > 0) == (run != "healthy")
    sarif = json.loads(cli("check", "run.memsure", "--format", "sarif", cwd=here).stdout)
    assert sarif["version"] == "2.1.0" and len(sarif["runs"][0]["results"]) == n
    for result in sarif["runs"][0]["results"]:
        assert sarif["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"] and "\u00a0" not in result["message"]["text"]
    github = cli("check", "run.memsure", "--format", "github", cwd=here).stdout.splitlines()
    assert len([line for line in github if re.match(r"::(error|warning|notice) file=[^,]+,line=\d+,col=\d+,title=[^:]+::", line)]) == n
    markdown = cli("check", "run.memsure", "--format", "markdown", cwd=here).stdout
    assert len(re.findall(r"^\| [A-Z]\d+ \|", markdown, re.M)) == n
    gitlab = json.loads(cli("check", "run.memsure", "--format", "gitlab", cwd=here).stdout)
    assert len(gitlab) == n and len({row["fingerprint"] for row in gitlab}) == n


def test_a_file_of_its_own(here):
    synthetic.churn(here).write("run.memsure")
    done = cli("check", "run.memsure", "--format", "sarif", "-o", "out.sarif", cwd=here)
    assert done.returncode == 1 and done.stdout == ""
    assert json.loads((here / "out.sarif").read_text())["runs"]
    assert cli("check", "run.memsure", "-o", "no/where", cwd=here).returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize("run", ("growing", "churn", "cyclic", "healthy"))
def test_sarif_is_valid(run, here):
    """By the schema of SARIF 2.1.0, which the npm package @microsoft/jest-sarif has (lib/schemas/): MEMSURE_SARIF_SCHEMA
    names the file. It takes the package jsonschema."""
    jsonschema = pytest.importorskip("jsonschema")
    if "MEMSURE_SARIF_SCHEMA" not in os.environ:
        pytest.skip("MEMSURE_SARIF_SCHEMA names no schema")
    getattr(synthetic, run)(here).write("run.memsure")
    sarif = json.loads(cli("check", "run.memsure", "--format", "sarif", cwd=here).stdout)
    schema = json.loads(Path(os.environ["MEMSURE_SARIF_SCHEMA"]).read_text())
    wrong = [f"{list(e.path)}: {e.message}" for e in jsonschema.validators.validator_for(schema)(schema).iter_errors(sarif)]
    assert not wrong, wrong


# -- ways and circles, as words

def test_circles_are_told_from_an_object_on():
    from memsure import holders
    way = [("[0]", 2, "tuple", 0, None), (".cell_contents", 1, "cell", 0, None), (".__closure__", 1, "function", 0, None)]
    chain = holders.circle_steps(way)
    assert holders.circle_words(chain) == "closure of a function (itself)"
    way = [("[0]", 2, "tuple", 0, None), (".cell_contents", 1, "cell", 0, None), (".__closure__", 1, "function Tree.<locals>.walk", 0, None)]
    assert holders.circle_words(holders.circle_steps(way)) == "closure of walk (itself)"
    way = [("['parent']", 3, "dict", 0, None), (".children", 1, "app.Node", 0, None), ("[3]", 2, "list", 0, None), (".__dict__", 1, "app.Node", 0, None)]
    assert holders.circle_words(holders.circle_steps(way)) == "Node.parent ⇄ Node.children[…]"
    assert holders.circle_words([]) == ""
    way = [(".tb_frame", 6, "traceback", 0, 3), ("f_back", 7, "wait in tasks.py", 0, 3), ("error", 7, "Group.__aexit__ in group.py", 0, 4),
           (".__traceback__", 6, "app.Cancelled", 0, 5), (".tb_next", 6, "traceback", 0, 6)]
    chain = holders.circle_steps(way)
    assert chain[0] == ("Group.__aexit__ in group.py", "error"), "a variable is what its author can change"
    assert holders.circle_words(chain) == "error of Group.__aexit__ ⇄ Cancelled.__traceback__"


def test_a_way_is_told_as_code_would_write_it():
    from memsure import holders
    way = [("", 0, "(group)", 9, None), ("interpreter", 7, "interpreter", 9, None), ("sys.modules", 7, "dict", 9, None),
           ("['shop']", 3, "module shop", 9, None), (".__dict__", 1, "dict", 9, None), (".CATALOG", 3, "shop.cache.Catalog", 9, 4),
           ("._by_key", 1, "dict", 9, 5)]
    assert holders.path_words(way) == ["module shop", ".CATALOG (Catalog)", "._by_key (dict)"]
    assert holders.name_of(way) == ("Catalog", "_by_key")
    way = [("", 0, "(group)", 9, None), ("thread", 7, "thread 1 (main)", 9, None), ("frame", 7, "main in app.py", 9, None), ("rows", 7, "list", 9, 4)]
    assert holders.name_of(way) == ("main", "rows")
    way = [("", 0, "(group)", 9, None), ("['app']", 3, "module app", 9, None), (".Client", 3, "class app.net.Client", 9, 4),
           (".__dict__", 1, "dict", 9, 4), ("._Client__open", 3, "dict", 9, 5)]
    assert holders.path_words(way) == ["module app", ".Client", ".__open (dict)"] and holders.name_of(way) == ("Client", "__open")
    way = [("", 0, "(group)", 9, None), ("['app']", 3, "module app", 9, None), (".SERIES", 3, "app.Series", 9, 4), ("…", 6, "app.Refs", 9, 4),
           ("…", 6, "list", 9, 5)]
    assert holders.name_of(way) == ("", ""), "what C code holds has no name in any source"


def test_what_a_context_variable_keeps_has_its_name(tmp_path):
    program, out = tmp_path / "app.py", tmp_path / "run.memsure"
    program.write_text(
        "import contextvars\n"
        "LAST = contextvars.ContextVar('last-error')\n"
        "OTHERS = [contextvars.ContextVar(f'other {i}') for i in range(5)]\n"
        "def load():\n"
        "    rows = [f'row {i}' for i in range(40_000)]\n"
        "    raise ValueError(len(rows))\n"
        "for n, other in enumerate(OTHERS):\n"
        "    other.set([n])\n"
        "try:\n"
        "    load()\n"
        "except ValueError as e:\n"
        "    LAST.set(e)\n"
    )
    subprocess.run([*MEMSURE, "run", "-q", "-o", str(out), str(program)], check=True, env=clean_env(), cwd=tmp_path, timeout=120)
    first = report.data(recording.load(str(out)))["findings"][0]
    assert (first["rule"], first["line"], first["culprit"]) == ("R1", 12, "ContextVar last-error")
    assert first["path"][-1] == "ContextVar last-error (ValueError)"


def test_a_healthy_report_names_the_largest_holders(tmp_path):
    program, out = tmp_path / "app.py", tmp_path / "run.memsure"
    program.write_text(
        "ROUTES = {f'/path/{i}': [i] for i in range(20_000)}\n"
        "class Pool:\n"
        "    def __init__(self):\n"
        "        self.buffers = [bytearray(65_536) for _ in range(30)]\n"
        "POOL = Pool()\n"
    )
    subprocess.run([*MEMSURE, "run", "-q", "-o", str(out), str(program)], check=True, env=clean_env(), cwd=tmp_path, timeout=120)
    loaded = recording.load(str(out))
    for width in (60, 80, 120):
        shown = report.render(loaded, text.Paper(width))
        assert re.search(r"^largest holders, for information\n +\d[\d.]+ MiB  __main__\.ROUTES +dict, 20\.0 k entries\n +1\.\d+ MiB  __main__\.POOL\.buff\S+ +list, 30 entries\n", shown, re.M), shown
        rows = shown[shown.index("largest holders"):].split("\n\n")[0].splitlines()
        assert "live at peak" not in shown and max(map(text.cells, rows)) <= width
    assert "live at peak" in report.render(loaded, text.Paper(80), all_=True)


def test_why_takes_the_id_of_a_finding(tmp_path):
    """`memsure why FILE C2` is about what the finding's line made; an id without a finding is no type, and said so."""
    path, out = PLANTED / "C2_bad.py", tmp_path / "run.memsure"
    subprocess.run([*MEMSURE, "run", "-q", "-o", str(out), str(path)], check=True, env=clean_env(), cwd=tmp_path, timeout=120)
    asked = [subprocess.run([*MEMSURE, "why", str(out), word, "--format", "json"], capture_output=True, text=True, env=clean_env(), cwd=tmp_path)
             for word in ("C2", "L6")]
    assert asked[0].returncode == 0, asked[0]
    about = json.loads(asked[0].stdout)
    assert about["asked"] == {"kind": "line", "name": f"{path}:7"} and about["objects"] > 1000, about["asked"]
    assert asked[1].returncode == 2 and "L6" in asked[1].stderr, asked[1]
