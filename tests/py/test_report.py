"""Verdicts, and reports compared whole with tests/golden/. To write the golden files anew: MEMSURE_GOLDEN=write pytest tests/py/test_report.py"""

import json
import os
import pathlib
import re
import types

import pytest
import synthetic
import synthetic_snapshot
from synthetic import GIB, MIB, SECOND, Build, noise

from memsure import cli, recording, report, rules, source, text, verdict, words
from memsure.text import Paper

GOLDEN = pathlib.Path(__file__).parent.parent / "golden"
RUNS = ("growing", "churn", "cyclic", "healthy", "native", "allocator", "keeping", "emptied")
KINDS = {"growing": "leak", "keeping": "leak", "native": "not yours", "emptied": "retention"}     # else as they are called
PAPERS = {
    "60": Paper(60), "80": Paper(80), "120": Paper(120), "50": Paper(50),
    "ascii": Paper(80, unicode=False, encoding="ascii"), "color": Paper(80, color=True), "piped": Paper(100, wrap_tables=False),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(kind, folder, **options):
    if kind == "processes":
        folder_of(folder)
    else:
        (getattr(synthetic, kind, None) or getattr(synthetic_snapshot, kind))(folder, **options).write("run.memsure")
    return recording.load("run.memsure")


def golden(name, shown):
    """Compare with tests/golden/, or write there."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("MEMSURE_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


def load(build, path="run.memsure"):
    build.write(path)
    return recording.load(path)


def kind_of(build):
    r = report.Report(load(build))
    return r.judged.kind


# -- layout

@pytest.mark.parametrize("kind", (*RUNS, "unrecorded", "processes"))
@pytest.mark.parametrize("paper", PAPERS)
def test_golden(kind, paper, here):
    golden(f"report-{kind}-{paper}", report.render(written(kind, here), PAPERS[paper]))


@pytest.mark.parametrize("paper", PAPERS)
def test_golden_of_the_other_views(paper, here):
    """All findings and tables; the lines by another measure; a source file with what its lines allocated."""
    rec = written("growing", here)
    golden(f"report-all-{paper}", report.render(rec, PAPERS[paper], all_=True))
    golden(f"report-sorted-{paper}", report.render(rec, PAPERS[paper], sort="temporary", filter_="handle"))
    golden(f"lines-{paper}", report.annotated(rec, "cache.py", PAPERS[paper]))


@pytest.mark.parametrize("paper", PAPERS)
def test_golden_of_explain(paper):
    """A rule with code before and after, one of principle 7, one that is not looked for."""
    golden(f"explain-{paper}", "\n".join(rules.explain(rules.RULES[id], PAPERS[paper]) for id in ("L2", "S1", "G2")))


@pytest.mark.parametrize("kind", RUNS)
def test_golden_of_check(kind, here, capsys):
    written(kind, here)
    assert cli.main(["check", "run.memsure"]) == (kind != "healthy")
    golden(f"check-{kind}", capsys.readouterr().out)


@pytest.mark.parametrize("kind", RUNS)
def test_no_line_is_wider_than_the_paper(kind, here):
    rec = written(kind, here)
    for width in range(60, 121):
        for line in report.render(rec, Paper(width)).splitlines():
            assert text.cells(line) <= width, (width, line)


@pytest.mark.parametrize("kind", RUNS)
def test_the_whole_report_stays_on_the_screen(kind, here):
    assert report.render(written(kind, here), Paper(80)).count("\n") <= 32


@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.parametrize("width", (60, 80, 120))
def test_the_rss_sum_adds_up_on_the_screen(kind, width, here):
    shown = report.render(written(kind, here), Paper(width), all_=True)
    sums = re.findall(r"^RSS[a-z ]* ([\d.]+) [KMG]iB\s=\s((?:.+\n)(?:      .+\n)*)", shown, re.M)
    assert sums
    for total, rows in sums:
        parts = re.findall(r"[a-z] ([\d.]+)", " ".join(rows.split()))
        assert len(parts) >= 5
        assert sum(round(float(p) * 100) for p in parts) == round(float(total) * 100)


@pytest.mark.parametrize("kind", RUNS)
def test_ascii_is_ascii(kind, here):
    assert report.render(written(kind, here), Paper(80, unicode=False, encoding="ascii"), all_=True).isascii()


@pytest.mark.parametrize("kind", RUNS)
def test_colour_is_never_the_only_sign(kind, here):
    rec = written(kind, here)
    colored = report.render(rec, Paper(80, color=True))
    assert "\033[" in colored
    assert re.sub(r"\033\[[\d;]*m", "", colored) == report.render(rec, Paper(80))


def test_places_are_links_where_the_terminal_has_them(here):
    shown = report.render(written("growing", here), Paper(80, color=True, links=True))
    assert f"\033]8;;file://{here}/shop/cache.py#L24\033\\" in shown


def test_hostile_names_are_escaped(here):
    b = Build(cwd=str(here), command="a\x1b[2Jb.py")
    b.site("evil\x1b]0;x\x07.py", "f\nerror: fake", 3, allocated_blocks=1, allocated_bytes=5 * MIB, live_blocks=1, live_bytes=5 * MIB)
    shown = report.render(load(b), Paper(120))
    assert "\x1b" not in shown and "\x07" not in shown
    assert "evil\\x1b]0;x\\x07.py:3" in shown
    assert not any(line.startswith("error: fake") for line in shown.splitlines())


def test_a_caret_stands_below_its_instruction(here):
    line, start, length = source.marked("\treturn größe(日本, x)", 8, 8 + len("größe(日本, x)".encode()), Paper(), 60)
    assert (line, start, length) == ("return größe(日本, x)", 7, 14)
    long = "    result = transform(" + ", ".join(f"argument_{i}" for i in range(20)) + ", last=compute(everything))"
    at = long.index("compute")
    line, start, length = source.marked(long, at, at + len("compute(everything)"), Paper(), 60)
    assert text.cells(line) <= 60
    assert line[start:start + length] == "compute(everything)"
    for column in range(0, len(long), 3):
        line, start, length = source.marked(long, column, column + 9, Paper(), 50)
        assert text.cells(line) <= 50 and start + length <= 50


def test_a_file_that_is_gone_or_changed_is_no_error(here):
    rec = written("growing", here)
    os.utime("shop/cache.py")
    assert "changed after the recording" in " ".join(report.render(rec, Paper(80)).split())
    os.remove("shop/cache.py")
    shown = report.render(rec, Paper(80))
    assert "shop/cache.py:24 in Product.__init__" in shown and "self.payload" not in shown
    assert "--lines" not in shown, "no command is offered that could not show anything"
    os.mkfifo("shop/cache.py")
    assert report.render(rec, Paper(80)) == shown, "a pipe of that name is not waited for"


def test_whose_code_a_file_is(here):
    s = source.Sources(str(here))
    assert s.kind(f"{here}/shop/cache.py") == source.OWN
    assert s.kind("/x/lib/python3.13/site-packages/pandas/core/frame.py") == source.LIBRARY
    assert s.kind("/x/lib/python3.13/json/encoder.py") == source.STANDARD
    assert s.kind("<frozen importlib._bootstrap>") == source.STANDARD
    assert s.place("/x/lib/python3.13/site-packages/pandas/core/frame.py", 812) == "pandas/core/frame.py:812"
    assert s.place("/x/lib/python3.13/json/encoder.py", 200) == "json/encoder.py:200"
    assert s.place(f"{here}/shop/cache.py", 20) == "shop/cache.py:20"
    assert s.place("/elsewhere/x.py", 2) == "/elsewhere/x.py:2"
    assert source.Sources(str(here), ["python", "-c", "a = 1\nb = []"]).line("<string>", 2) == "b = []"


def test_the_function_of_a_line(tmp_path):
    (tmp_path / "app.py").write_text("class A:\n    x = []\n    def f(self):\n        try:\n            def g():\n                return [\n                    1]\n"
                                     "        except E:\n            y = 2\nz = 3\n")
    (tmp_path / "bad.py").write_text("def f(:\n")
    s = source.Sources(str(tmp_path))
    told = [s.function(str(tmp_path / "app.py"), n) for n in (2, 3, 7, 9, 10)]
    assert told == ["A", "A.f", "A.f.<locals>.g", "A.f", "<module>"]
    assert s.function(str(tmp_path / "bad.py"), 1) == ""


# -- verdicts: each with its repaired twin

@pytest.mark.parametrize("kind", RUNS)
def test_verdicts(kind, here):
    assert report.Report(written(kind, here)).judged.kind == KINDS.get(kind, kind)


def test_each_verdict_has_a_golden_report():
    assert {KINDS.get(kind, kind) for kind in (*RUNS, "unrecorded")} == set(report.COLORS)


def test_a_cache_that_is_full_does_not_grow(here):
    assert kind_of(synthetic.growing(here, plateau=True)) == "healthy"


def test_a_cache_that_fills_ever_more_slowly_does_not_grow(here):
    assert kind_of(program(here, lambda x: 200 * MIB * (1 - 2.718 ** (-7 * x)))) == "healthy"
    assert kind_of(program(here, lambda x: 200 * MIB * (1 - 2.718 ** (-1 * x)))) == "leak"


def test_a_plateau_in_the_last_third_is_no_growth(here):
    assert kind_of(program(here, lambda x: 200 * MIB * min(x, 0.8))) == "healthy"
    assert kind_of(program(here, lambda x: 200 * MIB * min(x, 0.97))) == "leak"


def test_what_is_emptied_now_and_then_does_not_grow(here):
    assert kind_of(program(here, lambda x: 0 if 0.60 < x < 0.61 or 0.84 < x < 0.85 else 200 * MIB * x)) == "healthy"
    assert kind_of(program(here, lambda x: 200 * MIB * x - 9 * MIB * (0.60 < x < 0.61 or 0.84 < x < 0.85))) == "leak"


def test_one_step_is_no_growth(here):
    for at in (0.45, 0.6, 0.8, 0.9):
        assert kind_of(program(here, lambda x: 50 * MIB + 100 * MIB * (x > at) + 9000 * x)) == "healthy", at


def test_growth_needs_a_run_long_enough(here):
    assert kind_of(synthetic.growing(here, seconds=0.9)) == "healthy"
    assert "too short to judge growth" in report.render(written("growing", here, seconds=0.9), Paper(120))
    assert kind_of(synthetic.growing(here, seconds=1.1)) == "leak"


def test_growth_is_seen_through_noise_and_told_with_its_interval(here):
    r = report.Report(written("growing", here, noisy=40.0))
    f = r.judged.findings[0]
    true = 900 * MIB / 120
    assert f.kind == "leak" and abs(f.slope.per_second - true) <= f.slope.error < 0.1 * true


def program(here, curve, seconds=60.0, n=240, flags=0, live=None, base=0, function="work", file=None):
    """One line with this curve of live bytes over the run (0..1 -> bytes)."""
    file = file or str(here / "app.py")
    b = Build(cwd=str(here), seconds=seconds)
    times = b.times(n)
    values = [max(0, int(curve(t / seconds))) for t in times]
    end = values[-1] if live is None else live
    s = b.site(file, function, 5, flags=flags, allocated_blocks=10**6, allocated_bytes=max(values) * 2 + 1, live_blocks=1000,
               live_bytes=end, peak_bytes=max(values), peak_blocks=2000)
    b.curve(s, values)
    b.samples(times, [v + base for v in values])
    return b


def test_saw_teeth_do_not_grow(here):
    assert kind_of(program(here, lambda x: (x * 20 % 1) * 100 * MIB)) == "healthy"


def test_saw_teeth_on_a_slope_grow(here):
    assert kind_of(program(here, lambda x: (x * 20 % 1) * 20 * MIB + 200 * MIB * x)) == "leak"


def test_a_dropping_end_hides_nothing(here):
    b = program(here, lambda x: 200 * MIB * x if x < 0.99 else 0, live=0)
    assert kind_of(b) == "leak"


def test_import_time_is_no_suspect(here):
    assert kind_of(program(here, lambda x: 200 * MIB * x, flags=4)) == "healthy"


def many_lines(here, curve, count=30, seconds=60.0, n=240):
    """`count` lines, the k-th with curve(x, k) for its live bytes over the run (0..1)."""
    b = Build(cwd=str(here), seconds=seconds)
    times, whole = b.times(n), [0] * n
    for k in range(count):
        values = [max(0, int(curve(t / seconds, k))) for t in times]
        s = b.site(str(here / "app.py"), "work", 10 + k, allocated_blocks=10**5, allocated_bytes=2 * max(values) + 1, live_blocks=1000,
                   live_bytes=values[-1], peak_bytes=max(values), peak_blocks=1000)
        b.curve(s, values)
        whole = [a + v for a, v in zip(whole, values)]
    b.samples(times, whole)
    return b


def test_many_small_lines_that_grow_together_are_a_leak_without_a_finding(here):
    r = report.Report(load(many_lines(here, lambda x, k: 6 * MIB * x)))
    assert r.judged.kind == "leak" and r.judged.findings == [] and "spread over many lines" in r.verdict_text()[0]


def test_phases_that_each_keep_what_they_made_are_no_leak(here):
    assert kind_of(many_lines(here, lambda x, k: 6 * MIB * min(1, max(0, x * 30 - k)))) == "healthy"


def test_what_the_import_system_loads_counts_for_who_imports(here):
    """By the stacks, where there are samples enough; below that it is just loaded code."""
    for samples in (2, 40):
        b = Build(seconds=9.0)
        pandas = b.site("/x/lib/python3.13/site-packages/pandas/__init__.py", "<module>", 5, flags=4, peak_bytes=2 * MIB)
        loader = b.site("<frozen importlib._bootstrap_external>", "_compile_bytecode", 784, flags=4, peak_bytes=30 * MIB)
        deep = b.site("<frozen importlib._bootstrap>", "_find_and_load", 1360, flags=4)
        main = b.site("/srv/app/app.py", "<module>", 1, peak_bytes=MIB)
        for importer, weight in ((pandas, 3), (main, 1)):
            at = b.node(b.node(0, importer), deep)
            b.node(at, loader, samples // 2, peak=weight * MIB, allocated=weight * MIB)
        rows, base = report.Report(load(b)).table("peak", 3)
        told = next(words for n, i, words in rows if i is None).replace(text.NBSP, " ")
        assert rows[0][0] == 32 * MIB and base == 33 * MIB
        assert told == ("pandas ~24.5 MiB, app ~7.50 MiB" if samples == 40 else "loaded code 30.0 MiB, pandas 2.00 MiB")


def test_module_level_of_the_program_itself_is_a_suspect(here):
    assert report.Report(load(program(here, lambda x: 200 * MIB * x, function="<module>"))).judged.findings
    other = program(here, lambda x: 200 * MIB * x, function="<module>", file=str(here / "other.py"))
    assert not report.Report(load(other)).judged.findings


def test_growth_must_matter(here):
    assert kind_of(program(here, lambda x: MIB * x)) == "healthy"                            # less than 1 MiB
    assert kind_of(program(here, lambda x: 20 * MIB * x, base=GIB)) == "healthy"             # 2 % of what is live
    assert kind_of(program(here, lambda x: 200 * MIB * x, base=GIB)) == "leak"


def test_random_walks_are_rarely_called_growing(here):
    called = 0
    for seed in range(20):
        steps = noise(240, seed + 100)
        walk, v = [], 50 * MIB
        for w in steps:
            v = max(0, v * 0.97 + 1.5 * MIB + 3 * MIB * w)
            walk.append(v)
        called += kind_of(program(here, lambda x: walk[min(239, int(x * 240) - 1)])) == "leak"
    assert called <= 1


def test_what_moves_from_one_line_to_another_does_not_grow(here):
    b = program(here, lambda x: 300 * MIB * x)
    other = b.site(str(here / "app.py"), "drain", 9, allocated_blocks=9, allocated_bytes=301 * MIB, live_blocks=1, live_bytes=0,
                   peak_bytes=300 * MIB)
    b.curve(other, [300 * MIB - v for v in b.curves[0][1]])
    b.timeline = []
    b.samples([p / SECOND for p in b.points], [300 * MIB] * len(b.points))
    assert kind_of(b) == "healthy"


@pytest.mark.parametrize("n", (40, 150))
@pytest.mark.parametrize("r", (0.0, 0.5, 0.8, 0.95))
def test_the_interval_holds_for_residuals_that_hang_together(n, r):
    """Autoregressive noise around a known slope: 95 % promised, at least 84 % required of 200 series."""
    inside = 0
    for seed in range(200):
        e, series = 0.0, []
        for i, w in enumerate(noise(n + 50, seed * 31 + 7)):
            e = r * e + w
            series.append(2.0 * i + 10 * e)
        s = verdict.slope(list(range(n)), series[50:])
        inside += abs(s.per_second - 2.0) <= s.error
    assert 168 <= inside < 200


def churning(here, **changes):
    m = dict(allocated_blocks=10**7, allocated_bytes=20 * GIB, live_blocks=1, live_bytes=MIB, temporary_blocks=10**7 - 1,
             temporary_bytes=20 * GIB - MIB)
    m.update(changes)
    b = Build(cwd=str(here), seconds=10.0)
    b.site(str(here / "app.py"), "work", 5, **m)
    return b


def test_churn_is_large_fast_and_not_numbers(here):
    assert kind_of(churning(here)) == "churn"
    assert kind_of(churning(here, live_bytes=GIB)) == "healthy"                                             # it is kept
    assert kind_of(churning(here, allocated_bytes=GIB // 2, temporary_bytes=GIB // 2 - MIB)) == "healthy"   # it is slow
    assert kind_of(churning(here, allocated_blocks=10**9, temporary_blocks=10**9 - 1)) == "healthy"         # 20 bytes each
    assert kind_of(churning(here, temporary_bytes=GIB, temporary_blocks=10**6)) == "healthy"                # it lives longer


def test_little_waiting_garbage_is_not_cyclic(here):
    b = synthetic.cyclic(here)
    b.collections = [(t, g, 1000, c, u, 3 * MIB) for t, g, _, c, u, _ in b.collections]
    assert kind_of(b) == "cyclic", "nearly all that is freed is freed by the collector"
    for site in b.sites:
        site[7]["gc_freed_bytes"] //= 5
    assert kind_of(b) == "healthy"


def test_rows_that_stand_for_several_collections_are_their_mean(here):
    from memsure import _core
    b = synthetic.cyclic(here)
    tables = b.tables()
    n = len(b.collections)
    tables["collections"]["count"] = ("u32", 1, synthetic.array("I", [4] * n))
    _core.write("run.memsure", tables)
    f = report.Report(recording.load("run.memsure")).judged.findings[0]
    assert f.facts["collections"] == 4 * n
    tables["collections"]["count"] = ("u32", 1, synthetic.array("I", [400] * n))
    _core.write("run.memsure", tables)
    assert report.Report(recording.load("run.memsure")).judged.findings[0].facts["waiting"] == 0


# -- JSON, source view, tables

def test_json_is_exact_and_complete(here):
    build = synthetic.growing(here)
    d = report.data(load(build))
    assert json.loads(json.dumps(d)) == d
    assert d["schema"] == 1
    assert d["process"]["argv"] == ["python", "shop.py"] and d["process"]["pid"] == 4121 and d["process"]["exit_code"] == 0
    assert d["process"]["duration_s"] == 120.0 and d["process"]["peak_rss_bytes"] == max(row[1] for row in build.timeline)
    assert d["verdict"]["kind"] == "leak" and "no plateau" in d["verdict"]["text"]
    for metric in report.SITE_METRICS:
        assert sum(site[metric] for site in d["sites"]) == build.total(metric), metric
    for metric in ("allocated_blocks", "allocated_bytes", "live_blocks", "live_bytes", "peak_bytes"):
        assert d["totals"][metric] == build.total(metric)
    first = d["sites"][0]
    assert (first["line"], first["function"], first["code"]) == (24, "Product.__init__", "own")
    assert abs(first["growth"]["bytes_per_s"] - 900 * MIB / 120) <= first["growth"]["error_bytes_per_s"]
    assert d["findings"][0]["suspect"] is True and d["findings"][0]["called_by"]["function"] == "handle"
    assert sum(v for k, v in d["memory"]["end"].items() if k != "rss") == d["memory"]["end"]["rss"]
    assert "\u00a0" not in json.dumps(d, ensure_ascii=False)


@pytest.mark.parametrize("kind", RUNS)
def test_json_is_what_its_page_says(kind, here):
    """Every key of the report is in docs/REPORT.md, and every key of the page in the report."""
    page = (GOLDEN.parent.parent / "docs" / "REPORT.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page.partition("## JSON, schema 1")[2].partition("\n## ")[0], re.M))
    d = report.data(written(kind, here))
    assert set(d) == set(rows) - {"growth"}     # of a site and of a finding
    for key in ("process", "overhead", "unseen", "verdict", "totals"):
        assert set(d[key]) == set(re.findall(r"`(\w+)`", rows[key])), key
    for key in ("findings", "sites"):
        assert all(set(row) <= set(re.findall(r"`(\w+)`", rows[key])) for row in d[key]), key
    assert all(set(site["growth"]) == set(re.findall(r"`(\w+)`", rows["growth"])) for site in d["sites"] if site["growth"])


def test_lines_of_one_place_are_added_up(here):
    b = Build(cwd=str(here))
    for column in (4, 9, 14):
        b.site(str(here / "app.py"), "work", 5, column, column + 3, allocated_blocks=2, allocated_bytes=100 * column, live_blocks=1,
               live_bytes=50 * column)
    b.site(str(here / "app.py"), "other", 5, allocated_blocks=1, allocated_bytes=7, live_blocks=1, live_bytes=7)
    d = report.data(load(b))
    assert [(s["function"], s["allocated_bytes"], s["live_bytes"]) for s in d["sites"]] == [("work", 2700, 1350), ("other", 7, 7)]


def test_the_source_view(here):
    rec = written("growing", here)
    shown = report.annotated(rec, "cache.py", Paper(100))
    row = next(line for line in shown.splitlines() if " 24 |" in line)
    assert row.split()[:6] == ["909", "MiB", "900", "MiB", "900", "MiB"]
    assert report.annotated(rec, "shop/cache.py", Paper(100)) == shown == report.annotated(rec, str(here / "shop/cache.py"), Paper(100))
    with pytest.raises(recording.Unreadable, match="no line of 'cahe.py' allocated anything"):
        report.annotated(rec, "cahe.py", Paper(100))


def test_sort_and_filter(here):
    rec = written("growing", here)
    shown = report.render(rec, Paper(100), sort="temporary", filter_="HANDLE")
    assert "2 of 8 lines contain 'HANDLE'" in shown
    assert shown.index("shop/shop.py:40") < shown.index("shop/shop.py:31")
    assert "cache.py:20" not in shown
    assert "0 of 8 lines" in report.render(rec, Paper(100), filter_="nowhere")


# -- several processes, and files that are not whole

def folder_of(here):
    os.mkdir("run.memsure")
    synthetic.growing(here).write("run.memsure/4121-0.memsure")
    child = synthetic.healthy(here, pid=5000, ppid=4121, start_unix_ns=synthetic.START + 10 * SECOND, seconds=60.0)
    child.write("run.memsure/5000-1.memsure")
    return synthetic.growing(here), child


def test_processes_are_added_up(here):
    parent, child = folder_of(here)
    rec = recording.load("run.memsure")
    d = report.data(rec)
    assert [p["pid"] for p in d["processes"]] == [4121, 5000]
    assert d["totals"]["live_bytes"] == parent.total("live_bytes") + child.total("live_bytes")
    imports = [s for s in d["sites"] if s["file"].endswith("frame.py")]
    assert len(imports) == 1 and imports[0]["live_bytes"] == 22 * MIB, "the same line of two processes is one"
    assert d["findings"][0]["pid"] == 4121
    shown = report.render(rec, Paper(100))
    assert "2 processes" in shown and "(process 4121)" in shown
    at = d["timeline"]["t_ns"].index(min(d["timeline"]["t_ns"], key=lambda t: abs(t - 40 * SECOND)))
    assert d["timeline"]["rss_bytes"][at] > max(row[1] for row in parent.timeline if row[0] < 40 * SECOND) + 50 * MIB
    alone = report.data(rec.only(5000))
    assert alone["verdict"]["kind"] == "healthy" and alone["totals"]["live_bytes"] == child.total("live_bytes")
    with pytest.raises(recording.Unreadable, match="has no process 77; it has 4121, 5000"):
        rec.only(77)


def test_one_damaged_file_of_a_folder_is_named_and_the_others_shown(here):
    folder_of(here)
    with open("run.memsure/6000-2.memsure", "wb") as f:
        f.write(b"PK\x03\x04 something else")
    rec = recording.load("run.memsure")
    assert len(rec.processes) == 2
    assert '6000-2.memsure is not a memsure file (it begins with "PK": a zip archive)' in report.render(rec, Paper(120))


def test_a_file_cut_anywhere_gives_a_report_or_one_sentence(here):
    synthetic.growing(here).write("whole.memsure")
    data = pathlib.Path("whole.memsure").read_bytes()
    reports = 0
    for n in list(range(0, 400, 37)) + list(range(400, len(data), 2411)):
        pathlib.Path("cut.memsure").write_bytes(data[:n])
        try:
            shown = report.render(recording.load("cut.memsure"), Paper(100))
            report.data(recording.load("cut.memsure"))
            reports += 1
            assert shown.startswith("warning: "), n
            assert "  shown: " in shown
            assert "\nhealthy: " not in shown, n
        except recording.Unreadable as e:
            assert "cut.memsure" in str(e) and "\n" not in str(e)
    assert reports > 3


def test_nothing_found_in_a_damaged_file_is_not_healthy(here, capsys):
    synthetic.healthy(here).write("whole.memsure")
    data = pathlib.Path("whole.memsure").read_bytes()
    pathlib.Path("cut.memsure").write_bytes(data[: len(data) * 3 // 4])
    d = report.data(recording.load("cut.memsure"))
    assert d["verdict"]["kind"] == "unrecorded" and d["verdict"]["text"] == "nothing was found in what is whole of this file"
    assert cli.main(["check", "cut.memsure"]) == 3
    assert "not judged: nothing was found" in capsys.readouterr().out


def test_a_program_whose_end_was_not_seen(here):
    shown = report.render(load(synthetic.growing(here, complete="0", incomplete_why="the machine was switched off")), Paper(100))
    assert shown.startswith("warning: run.memsure ends early: the machine was switched off\n  shown: everything up to 120.0 s")


def test_what_was_not_seen_is_said_only_where_there_is_something(here):
    assert "Not seen" not in report.render(written("growing", here), Paper(100))
    shown = report.render(load(synthetic.growing(here, before_blocks=2100, undercounted='["tuple"]')), Paper(100))
    assert "Not seen: 2,100 blocks from before memsure; reused tuple objects (free lists)." in " ".join(shown.split())


def test_the_cost_is_said_only_where_it_was_measured(here):
    assert "Recording cost" not in report.render(load(synthetic.healthy(here, cpu_ns=0)), Paper(100))
    assert "Recording cost" not in report.render(load(synthetic.healthy(here, overhead_ns=0)), Paper(100))


def test_between_samples_a_process_holds_what_it_held(here):
    os.mkdir("two.memsure")
    for pid in (1, 2):
        b = Build(pid=pid, seconds=10.0)
        b.samples([1.0, 5.0, 9.0], [100 * MIB] * 3)
        b.write(f"two.memsure/{pid}-0.memsure")
    _, rss = recording.load("two.memsure").timeline("rss_bytes")
    assert {v for v in rss if v} == {280 * MIB} and 180 < sum(map(bool, rss)) < 220


@pytest.mark.parametrize("blocks", (0, 4, 9))
def test_a_recording_without_allocations_is_not_healthy(blocks, here):
    b = synthetic.unrecorded(here)
    b.info["allocated_blocks"] = blocks
    rec = load(b)
    d = report.data(rec)
    assert d["verdict"]["kind"] == "unrecorded" and "PYTHONMALLOC" in d["verdict"]["text"]
    shown = report.render(rec, Paper(100))
    assert "healthy" not in shown and "at most 0 B" not in shown and "Recording cost" not in shown
    line = next(line for line in shown.splitlines() if line.startswith("unrecorded: "))
    assert all(word in line for word in ("PYTHONMALLOC", "-X dev", "run it without")), line


def test_one_process_without_allocations_is_named(here):
    os.mkdir("two.memsure")
    synthetic.healthy(here).write("two.memsure/4121-0.memsure")
    synthetic.unrecorded(here, pid=5000).write("two.memsure/5000-1.memsure")
    rec = recording.load("two.memsure")
    assert report.data(rec)["verdict"]["kind"] == "healthy"
    assert "all of process 5000 (another allocator" in " ".join(report.render(rec, Paper(100)).split())


def test_a_spread_growth_denies_no_large_line(here):
    b = many_lines(here, lambda x, k: 6 * MIB * x)
    b.site(str(here / "app.py"), "table", 9, allocated_blocks=9, allocated_bytes=GIB, live_blocks=9, live_bytes=GIB, peak_bytes=GIB)
    shown = report.render(load(b), Paper(100))
    assert "spread over many lines" in shown and "no single line makes" not in shown
    assert "no line rises steadily by 5 % of what is live" in shown


def test_what_was_freed_before_the_end_is_not_said_to_live(here):
    b = program(here, lambda x: 200 * MIB * x if x < 0.99 else 0, live=0)
    b.sites[0][7].update(live_blocks=0, freed_blocks=10**6)
    r = report.Report(load(b))
    f = r.judged.findings[0]
    assert words.note(r, f).replace("\u00a0", " ") == "198 MiB live at 59.2 s, 0 B at the end"
    assert "0 %" not in words.evidence(r, f) and "it was freed before the end" in words.evidence(r, f)
    kept = report.Report(written("growing", here))
    assert words.note(kept, kept.judged.findings[0]) == "1.94 M blocks live at the end".replace(" M", "\u00a0M")
    assert "of what it ever allocated is live at the end" in words.evidence(kept, kept.judged.findings[0])


@pytest.mark.parametrize("cost_ms, cpu_s, said", [
    (9, 0.02, "Recording cost 9 ms, mostly of start-up."), (9, 20, "Recording cost 9 ms."), (150, 0.4, "Recording cost 150 ms."),
    (150, 20, "Recording cost 0.8 % of CPU time."), (99, 1, "Recording cost 99 ms."), (100, 1, "Recording cost 10 % of CPU time.")])
def test_a_small_cost_is_said_as_a_time(cost_ms, cpu_s, said, here):
    b = Build(cwd=str(here), overhead_ns=cost_ms * 10**6, cpu_ns=int(cpu_s * SECOND))
    synthetic._imports(b)
    if "start-up" not in said:
        b.site(str(here / "app.py"), "work", 5, allocated_blocks=10**6, allocated_bytes=GIB)
    assert said in report.render(load(b), Paper(100)).replace("\n", " ")


@pytest.mark.parametrize("code, kind, said", [(0, "exit", None), (3, "exit", "exit status 3"), (9, "signal", "killed by SIGKILL"),
                                              (250, "signal", "killed by signal 250")])
def test_how_the_program_ended(here, code, kind, said):
    header = report.render(load(synthetic.healthy(here, exit_kind=kind, exit_code=code)), Paper(120)).splitlines()[0]
    assert header.endswith(said or "allocations")


def test_a_report_of_20_000_sites_reads_only_what_it_shows(here, monkeypatch):
    """Not timed (bench/report.py does that): columns are read once, with some dozen calls of functions for each site."""
    import sys
    synthetic.large(here).write("run.memsure")
    read, calls, column = [], 0, recording.Process.column

    def noted(self, table, name):
        if table in ("sites", "nodes"):
            read.append((table, name))
        return column(self, table, name)

    def count(frame, event, arg):
        nonlocal calls
        calls += event in ("call", "c_call")
    monkeypatch.setattr(recording.Process, "column", noted)
    sys.setprofile(count)
    try:
        report.render(recording.load("run.memsure"), Paper(100))
    finally:
        sys.setprofile(None)
    groups = ["file", "line", "function", "flags"]
    metrics = ["peak_bytes", "live_bytes", "live_blocks", "allocated_bytes", "temporary_bytes", "gc_freed_bytes"]
    mark = ["live_bytes", "line", "end_line", "column", "end_column"]
    assert {name for table, name in read if table == "sites"} <= {*groups, *metrics, *mark}
    assert max(map(read.count, read)) <= 8, "each once, and once more for each finding that is shown"
    assert calls < 15 * 20_000, calls


def test_values_that_make_no_sense_break_nothing(here):
    """Checksums hold, the values are wild: rows that do not exist, loops of parents, times that run backwards."""
    import random

    from memsure import _core
    limits = {"B": 255, "i": 2**31 - 1, "I": 2**32 - 1, "q": 2**63 - 1, "Q": 2**64 - 1, "d": 1e300}
    for seed in (*range(120), 1440):
        rng = random.Random(seed)
        tables = getattr(synthetic, RUNS[seed % 4])(here, **({"n": 40} if seed % 4 == 0 else {})).tables()
        for _ in range(rng.randint(1, 4)):
            table = rng.choice([t for t in tables if tables[t] and (t != "strings" or rng.random() < 0.3)])
            column = rng.choice(list(tables[table]))
            kind, width, values = tables[table][column]
            top = limits[values.typecode]
            for i in range(len(values)):
                if rng.random() < 0.5:
                    wild = rng.choice((0, 1, 2, 3, 77, top, top // 2, rng.randint(0, int(min(top, 2**60)))))
                    values[i] = -wild if values.typecode in "iqd" and rng.random() < 0.3 else wild
            if values.typecode == "d" and rng.random() < 0.3:
                values[:] = type(values)("d", [rng.choice((float("nan"), float("inf"), -1.0)) for _ in values])
            if rng.random() < 0.2:
                tables[table][column] = (kind, width, values[:len(values) // width // 2 * width])
            if rng.random() < 0.1:
                del tables[table][column]
        _core.write("wild.memsure", tables)
        try:
            rec = recording.load("wild.memsure")
            for paper in (Paper(80), Paper(50, unicode=False, encoding="ascii")):
                report.render(rec, paper, all_=seed % 2 == 0)
            json.dumps(report.data(rec))
            report.render(rec, Paper(100), sort="allocated")
            report.annotated(rec, "cache.py", Paper(100))
        except recording.Unreadable:
            pass
        except Exception as e:
            raise AssertionError(f"seed {seed}") from e


def test_growth_is_seen_through_a_gap():
    """A monitor that did not run for a while leaves a hole in the curve; a line that rises on both sides still grows."""
    from memsure import verdict
    times = [0.9 + 0.04 * i for i in range(30)] + [2.68, 2.72, 2.76]
    values = [int(20e6 * t) for t in times]
    assert verdict.grows(times, values, 60e6)
    flat = [int(20e6 * t) for t in times[:10]] + [int(26e6)] * 23
    assert not verdict.grows(times, flat, 60e6)


@pytest.mark.parametrize("spelled", ["app.py", "./app.py", "../shop/app.py", "/srv/shop/app.py", "/srv/shop/./app.py"])
def test_the_program_is_known_by_any_spelling_of_its_path(spelled):
    """Of './app.py' Python says '/srv/shop/./app.py': its module level is the program, no import."""
    recorded = types.SimpleNamespace(first=types.SimpleNamespace(words=lambda name: ["python", spelled]))
    sources = source.Sources("/srv/shop", ["python", spelled])
    file = spelled if spelled[0] == "/" else f"/srv/shop/{spelled}"
    assert verdict.is_main(recorded, sources, file) and not verdict.is_main(recorded, sources, "/srv/shop/./other.py")
    assert sources.place(file, 4) == "app.py:4"
