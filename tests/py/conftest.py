"""What all tests in this folder share: run a program under memsure, and read back what was recorded.

    rec = record('''
        keep = [object() for _ in range(1000)]    # site: keep
    ''')
    assert rec.at("keep").allocated_blocks == 1002

`record` writes the source to a file of its own folder, runs `python -m memsure run -q -o FILE app.py` with the
interpreter that runs the tests, and gives a Recording. A comment `# site: NAME` in the source names its line;
`# site: NAME 12` also says how many blocks that line is to make, and `check_planned(rec)` holds every such line to
its number. Recordings are read through `memsure._core.open` alone, so that a fault of the reporting code cannot hide
a fault of the recorder. `plain` runs the same thing without memsure, for the tests that compare.
"""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

MEMSURE = [sys.executable, "-m", "memsure"]

FIGURES = (
    "allocated_blocks allocated_bytes freed_blocks freed_bytes live_blocks live_bytes peak_blocks peak_bytes "
    "gc_freed_blocks gc_freed_bytes temporary_blocks temporary_bytes inherited_blocks inherited_bytes"
).split()


def pytest_configure(config):
    config.addinivalue_line("markers", "quick: the default, a whole file in less than a minute")
    config.addinivalue_line("markers", "slow: takes more than a few seconds; left out unless asked for")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Every test that is not slow is quick, so that `-m quick` and `-m "not slow"` choose the same."""
    for item in items:
        if item.get_closest_marker("slow") is None:
            item.add_marker(pytest.mark.quick)


class Figures:
    """Numbers of one place in code: the sum over the sites (instructions) that belong to it."""

    def __init__(self):
        for name in FIGURES:
            setattr(self, name, 0)
        self.lifetimes = [0] * 12
        self.functions = set()
        self.flags = 0
        self.spans = set()          # (line, end_line, column, end_column)

    def __repr__(self):
        rest = " ".join(f"{n}={getattr(self, n)}" for n in FIGURES if getattr(self, n))
        return f"<{'/'.join(sorted(self.functions)) or 'nothing recorded'}: {rest}>"


class Process:
    """One recording file: its info, and its sites row by row and summed by line."""

    def __init__(self, path):
        from memsure import _core

        self.path = Path(path)
        self.file = _core.open(str(path))
        offsets, data = self.column("strings", "offsets"), bytes(self.column("strings", "data"))
        self.strings = [data[offsets[i]:offsets[i + 1]].decode("utf-8", "replace") for i in range(len(offsets) - 1)]
        self.info = {
            self.strings[k]: self.strings[v]
            for k, v in zip(self.column("info", "key"), self.column("info", "value"))
        }
        names = ["file", "function", "line", "end_line", "column", "end_column", "flags", *FIGURES]
        columns = [list(self.column("sites", name)) for name in names]
        lifetimes = list(self.column("sites", "lifetimes"))
        self.sites = []
        for row, values in enumerate(zip(*columns)):
            site = dict(zip(names, values))
            site["file"], site["function"] = self.strings[site["file"]], self.strings[site["function"]]
            site["lifetimes"] = lifetimes[row * 12:row * 12 + 12]
            self.sites.append(site)

    def __repr__(self):
        return f"<{self.path.name}: pid {self.info.get('pid')} {self.info.get('argv')} {self.info.get('started')}>"

    def column(self, table, name):
        return self.file.column(table, name)

    def rows(self, table):
        """The rows of a table as dicts (for tables whose columns all have one value per row)."""
        names = list(self.file.tables.get(table, {}))
        return [dict(zip(names, values)) for values in zip(*(self.column(table, n) for n in names))]

    def number(self, key):
        return int(self.info[key])

    @property
    def argv(self):
        return json.loads(self.info["argv"])

    @property
    def undercounted(self):
        return set(json.loads(self.info.get("undercounted") or "[]"))

    def line(self, file, line, function=None):
        """The figures of a line: `file` is compared by its last part, `function` by its last part too."""
        out = Figures()
        for s in self.sites:
            if s["line"] != line or os.path.basename(s["file"]) != os.path.basename(str(file)):
                continue
            if function is not None and s["function"].rpartition(".")[2] != function:
                continue
            for name in FIGURES:
                setattr(out, name, getattr(out, name) + s[name])
            out.lifetimes = [a + b for a, b in zip(out.lifetimes, s["lifetimes"])]
            out.functions.add(s["function"])
            out.flags |= s["flags"]
            out.spans.add((s["line"], s["end_line"], s["column"], s["end_column"]))
        return out

    def total(self, figure):
        return sum(s[figure] for s in self.sites)


class Recording:
    """A finished run: how it ended, what it printed, and the recording of each of its processes."""

    def __init__(self, path, source, name, done):
        self.path, self.source, self.name = Path(path), source, name
        self.status, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        self._processes = None

    @property
    def processes(self):
        if self._processes is None:
            files = sorted(self.path.glob("*.memsure")) if self.path.is_dir() else [self.path]
            assert files and files[0].exists(), f"no recording at {self.path}; stderr: {self.stderr}"
            self._processes = [Process(f) for f in files]
        return self._processes

    @property
    def one(self):
        assert len(self.processes) == 1, f"one process expected, {self.processes} found"
        return self.processes[0]

    @property
    def info(self):
        return self.one.info

    @property
    def marks(self):
        return site_marks(self.source)

    def at(self, mark, function=None):
        return self.one.line(self.name, self.marks[mark][0], function)

    def of_pid(self, pid):
        """The recordings of one pid, in the order of their N (several, if it exec'd or the pid repeated)."""
        found = [p for p in self.processes if p.info["pid"] == str(pid)]
        return sorted(found, key=lambda p: p.number("start_unix_ns"))


def site_marks(source):
    """{name: (line, planned blocks or None)} of the comments `# site: NAME [N]` of a source text."""
    marks = {}
    for line, text in enumerate(source.splitlines(), 1):
        if m := re.search(r"# site: (\w+)(?: (\d+))?", text):
            assert m[1] not in marks, f"mark {m[1]} twice"
            marks[m[1]] = (line, int(m[2]) if m[2] else None)
    return marks


def check_planned(rec):
    """Every line marked with a number made exactly so many blocks."""
    planned = {mark: n for mark, (_, n) in rec.marks.items() if n is not None}
    assert planned
    assert {mark: rec.at(mark).allocated_blocks for mark in planned} == planned


def check_sums(process):
    """What every complete recording keeps, whatever ran: the lines add up to the whole, births and deaths to the living."""
    for figure in ("allocated_blocks", "allocated_bytes", "freed_blocks", "freed_bytes", "live_blocks", "live_bytes",
                   "peak_blocks", "peak_bytes"):
        assert process.total(figure) == process.number(figure), figure
    for s in process.sites:
        for unit in ("blocks", "bytes"):
            alive = s[f"allocated_{unit}"] + s[f"inherited_{unit}"] - s[f"freed_{unit}"]
            assert alive == s[f"live_{unit}"], (unit, s)
            assert s[f"gc_freed_{unit}"] <= s[f"freed_{unit}"], (unit, s)
            assert s[f"temporary_{unit}"] <= s[f"freed_{unit}"], (unit, s)
            assert s[f"peak_{unit}"] <= s[f"allocated_{unit}"] + s[f"inherited_{unit}"], (unit, s)
        assert sum(s["lifetimes"]) == s["freed_blocks"], s


def clean_env(env=None):
    """The environment of the tests without what would change the programs (or start memsure in them by itself)."""
    out = {k: v for k, v in os.environ.items() if not k.startswith("MEMSURE")}
    for name in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONMALLOC", "LD_PRELOAD"):
        out.pop(name, None)
    out["PYTHONDONTWRITEBYTECODE"] = "1"    # or the first of two compared runs would compile for the second
    out.update(env or {})
    return out


def run(argv, *, env=None, stdin=None, timeout=120, cwd=None, text=True, **more):
    """subprocess.run in a process group of its own, which is killed as a whole when the time is up."""
    with subprocess.Popen(argv, env=clean_env(env), cwd=cwd, text=text, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, start_new_session=True, **more) as p:
        try:
            out, err = p.communicate(stdin, timeout)
        except BaseException:
            os.killpg(p.pid, signal.SIGKILL)
            out, err = p.communicate()
            print(f"--- {argv}\n{out}\n{err}")
            raise
    return subprocess.CompletedProcess(argv, p.returncode, out, err)


def dedent(source):
    return textwrap.dedent(source).lstrip("\n")


@pytest.fixture
def record(tmp_path):
    count = 0

    def record(program, *options, args=(), name="app.py", ok=True, **more):
        """Run a program (source text, or the list of arguments after `memsure run OPTIONS`) and give its Recording."""
        nonlocal count
        count += 1
        out = tmp_path / f"run{count}.memsure"
        source = ""
        if isinstance(program, str):
            source = dedent(program)
            (tmp_path / name).write_text(source)
            program = [str(tmp_path / name), *map(str, args)]
        more.setdefault("cwd", tmp_path)
        done = run([*MEMSURE, "run", "-q", "-o", str(out), *options, *program], **more)
        if ok:
            assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return Recording(out, source, name, done)

    return record
