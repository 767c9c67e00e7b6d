"""Compare ways of running a program: modes x workloads x interpreters, interleaved.

    python bench/compare.py --set micro --modes memsure --rounds 7 \\
        --python /path/3.11/bin/python --python /path/3.13/bin/python -o micro.json
    python bench/compare.py --set real --modes peers --rounds 3 --reports --markdown
    python bench/compare.py --show micro.json more.json

Every run is a fresh process. A round runs everything once: workloads in random order, for each
the modes in random order, so that a disturbance of the machine meets all alike and the runs
that are divided by each other lie close in time. The first figure of a cell is the ratio of
minima over all rounds and repetitions, mode to plain; in brackets the median of the per-round
ratios with its lowest and highest. Nothing is pinned, reniced or warmed up beforehand.
Run it with any Python from 3.11; the interpreters compared need bench/requirements-*.txt.
"""
import argparse
import datetime
import fnmatch
import json
import math
import os
import platform
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from modes import MODES, Unavailable, chosen, size_of

HERE = os.path.dirname(os.path.abspath(__file__))
WORKLOADS = os.path.join(HERE, "workloads")
LOAD_LIMIT = 1.5
MB = 1e6

MICRO = ["objects", "tuples", "dicts", "strings", "temporaries", "calls", "depth10", "depth100",
         "depth500", "deepcalls", "fib", "updown", "json_text", "graph", "threads"]
DETAIL = ["floats", "small_tuples", "short_lists", "formatting", "growing_lists", "instances",
          "generators", "comprehensions", "big_blocks", "exceptions"]
PYPERFORMANCE = ["async_tree", "chaos", "deepcopy", "deltablue", "float", "genshi", "go",
                 "html5lib", "json_loads", "mako", "pickle_pure_python", "pyflate", "raytrace",
                 "regex_compile", "sqlglot", "xml_etree"]
REAL = ["black", "flask", "json_batch", "pandas", "docutils"]
LIVE = ["live_1k", "live_10k", "live_100k", "live_1m", "live_10m", "live_50m"]
DEPTH = [f"{kind}_{depth}" for kind in ("depth", "leaf") for depth in (1, 5, 20, 50, 100, 200, 500)]

SETS = {    # name: [(file, workload)]
    "micro": [("micro.py", name) for name in MICRO],
    "detail": [("detail.py", name) for name in DETAIL],
    "pyperformance": [("performance.py", name) for name in PYPERFORMANCE],
    "real": [("real.py", name) for name in REAL],
    "flat": [("flat.py", name) for name in LIVE + DEPTH],
    "size": [("real.py", name) for name in REAL]
    + [("micro.py", name) for name in ("objects", "dicts", "strings", "graph", "threads")]
    + [("give_back.py", name) for name in ("at_random", "in_runs", "all")],
    "start": [("nothing.py", "nothing"), ("imports.py", "imports")],
}


# ---- what the figures were taken on ---------------------------------------------------------

ABOUT_PYTHON = """
import importlib.metadata as m, importlib.util, json, platform, sys, sysconfig
names = ("memsure memray scalene filprofiler pyperformance genshi html5lib mako sqlglot "
         "black flask jinja2 pandas numpy docutils").split()
found = {}
for name in names:
    try: found[name] = m.version(name)
    except m.PackageNotFoundError: pass
print(json.dumps({"version": platform.python_version(), "compiler": platform.python_compiler(),
    "configured": sysconfig.get_config_var("CONFIG_ARGS"), "packages": found,
    "missing": [name for name in names if importlib.util.find_spec(name) is None]}))
"""


def about_python(python):
    asked = subprocess.run([python, "-c", ABOUT_PYTHON], text=True, capture_output=True)
    if asked.returncode != 0:
        raise SystemExit(f"{python} does not run: {asked.stderr.strip()}")
    return json.loads(asked.stdout)


def about_host():
    model, total = "unknown", 0
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo") as file:
        total = int(file.readline().split()[1]) // 1024
    return {"cpu": model, "cores": os.cpu_count(), "memory_mb": total,
            "kernel": platform.release(), "system": platform.platform()}


# ---- one run --------------------------------------------------------------------------------

def run_once(python, mode, file, workload, repeats, out, timeout):
    """Run a workload in a fresh process; return its figures, or {"error": why}."""
    program = [os.path.join(WORKLOADS, file)]
    if file not in ("nothing.py", "imports.py"):
        program += [workload] + ([str(repeats)] if repeats else [])
    environment = {**os.environ, "PYTHONHASHSEED": "0", **mode.environment(python, out)}
    command = mode.command(python, program, out)
    with tempfile.TemporaryFile("w+") as said:
        start = time.perf_counter()
        # its own session, so that a run that takes too long ends with all its processes
        child = subprocess.Popen(command, env=environment, cwd=out, stdout=said,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        guard = threading.Timer(timeout, os.killpg, (child.pid, signal.SIGKILL))
        guard.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        guard.cancel()
        child.returncode = 0     # waited for here, not by Popen
        said.seek(0)
        text = said.read()
    if wall >= timeout:
        return {"error": f"longer than {timeout} s"}
    if status != 0:
        return {"error": f"exit status {os.waitstatus_to_exitcode(status)}: {complaint(text)}"}
    figures = {"process_wall": wall, "process_cpu": usage.ru_utime + usage.ru_stime}
    if file not in ("nothing.py", "imports.py"):
        lines = [line for line in text.splitlines() if line.startswith("{") and '"cpu"' in line]
        if not lines:
            return {"error": "the workload printed no figures"}
        figures.update(json.loads(lines[-1]))
    if mode.output:
        figures["file_bytes"] = size_of(os.path.join(out, mode.output))
    return figures


def complaint(text):
    """The line of a failed program's output that most likely says why."""
    lines = text.strip().splitlines() or ["it said nothing"]
    return [*lines[-1:], *(line for line in lines if "Error" in line)][-1][:200]


def run_report(python, mode, out, timeout):
    """Make the mode's own report from what it left in out; return {"report_s"} or {}."""
    if mode.report is None:
        return {}
    start = time.perf_counter()
    try:
        made = subprocess.run(mode.report(python, out), cwd=out, timeout=timeout,
                              capture_output=True)
    except subprocess.TimeoutExpired:
        return {"report_error": f"longer than {timeout} s"}
    if made.returncode != 0:
        return {"report_error": complaint(made.stderr.decode(errors="replace"))}
    return {"report_s": time.perf_counter() - start}


def unavailable(pythons, modes):
    """The (python, mode) pairs that cannot run at all, with the reason."""
    found = {}
    for python, about in pythons.items():
        for mode in modes:
            try:
                if mode.needs in about["missing"]:
                    raise Unavailable(f"{mode.needs} is not installed")
                mode.environment(python, HERE)
            except Unavailable as why:
                found[python, mode.name] = f"{about['label']} {mode.name}: {why}"
    return found


def run_all(options, pythons, modes, save):
    """All rounds; calls save(runs) after each. A mode that fails on a workload is left out."""
    workloads = [(file, name) for file, name in SETS[options.set]
                 if any(fnmatch.fnmatch(name, pattern) for pattern in options.only.split(","))
                 and not any(fnmatch.fnmatch(name, pattern) for pattern in options.skip.split(","))]
    if not workloads:
        raise SystemExit("--only and --skip leave no workload")
    repeats = 1 if options.set == "size" else options.repeats
    cells = [(path, *workload) for path in pythons for workload in workloads]
    chance, runs, failed = random.Random(options.seed), [], set()
    without = unavailable(pythons, modes)
    for why in without.values():
        print(f"left out: {why}", file=sys.stderr)
    for number in range(options.rounds):
        chance.shuffle(cells)
        for done, (python, file, name) in enumerate(cells):
            order = list(modes)
            chance.shuffle(order)
            for mode in order:
                key = (python, name, mode.name)
                if key in failed or (python, mode.name) in without:
                    continue
                if sys.stderr.isatty():
                    print(f"\r\033[Kround {number + 1}/{options.rounds}, {done + 1}/{len(cells)}: "
                          f"{name}, {mode.name}", end="", file=sys.stderr)
                out = tempfile.mkdtemp(prefix="bench-")
                try:
                    count = None if file == "give_back.py" else repeats
                    figures = run_once(python, mode, file, name, count, out, options.timeout)
                    if options.reports and number == options.rounds - 1 and "error" not in figures:
                        figures.update(run_report(python, mode, out, options.timeout))
                finally:
                    shutil.rmtree(out, ignore_errors=True)
                if "error" in figures:
                    failed.add(key)
                runs.append({"python": pythons[python]["label"], "workload": name,
                             "mode": mode.name, "round": number, **figures})
        save(runs)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return runs


# ---- from runs to tables --------------------------------------------------------------------

def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


class Figures:
    """The runs of one interpreter, asked by workload and mode."""

    def __init__(self, runs, python, clock, short=False):
        self.clock, self.short, self.runs = clock, short, {}
        for run in runs:
            if run["python"] == python:
                self.runs.setdefault((run["workload"], run["mode"]), []).append(run)

    def good(self, workload, mode):
        return [run for run in self.runs.get((workload, mode), []) if "error" not in run]

    def values(self, workload, mode, key):
        return [run[key] for run in self.good(workload, mode) if key in run]

    def seconds(self, run):
        """The time of one run: the best repetition, or the whole process."""
        if self.clock == "process":
            return run["process_cpu"]
        return min(run[self.clock])

    def best(self, workload, mode):
        times = [self.seconds(run) for run in self.good(workload, mode)]
        return min(times) if times else None

    def ratio(self, workload, mode):
        """(ratio of minima, median of per-round ratios, lowest, highest), or None."""
        base, best = self.best(workload, "plain"), self.best(workload, mode)
        if not base or best is None:
            return None
        plain = {(run.get("from"), run["round"]): self.seconds(run)
                 for run in self.good(workload, "plain")}
        rounds = [self.seconds(run) / plain[run.get("from"), run["round"]]
                  for run in self.good(workload, mode) if (run.get("from"), run["round"]) in plain]
        rounds = rounds or [best / base]
        return best / base, statistics.median(rounds), min(rounds), max(rounds)


def ratio_table(figures, workloads, modes):
    def cell(ratio):
        if ratio is None:
            return "fail"
        return ("{:.2f}" if figures.short else "{:.2f} ({:.2f}, {:.2f}-{:.2f})").format(*ratio)

    rows = []
    for workload in workloads:
        base = figures.best(workload, "plain")
        row = [workload, f"{base * 1e3:.1f}" if base else "fail"]
        rows.append(row + [cell(figures.ratio(workload, mode)) for mode in modes])
    for title, column, fold in (("geometric mean", 0, geometric_mean),
                                ("geometric mean of medians", 1, geometric_mean),
                                ("worst", 0, max)):
        row = [title, ""]
        for mode in modes:
            ratios = [figures.ratio(workload, mode) for workload in workloads]
            ratios = [ratio[column] for ratio in ratios if ratio]
            row.append(f"{fold(ratios):.3f}" if ratios else "")
        rows.append(row)
    return ["workload", "plain, ms", *modes], rows


def flat_table(figures, workloads, modes):
    """Nanoseconds an operation; for live_N the resident bytes a block costs more than plain."""
    rows = []
    for workload in workloads:
        row = [workload]
        for mode in ["plain", *modes]:
            best, runs = figures.best(workload, mode), figures.good(workload, mode)
            row.append(f"{best / runs[0]['operations'] * 1e9:.1f}" if runs else "fail")
        for mode in modes:
            mine, plain = (figures.values(workload, which, "rss") for which in (mode, "plain"))
            live = figures.values(workload, mode, "live")
            told = live and plain and live[0] >= 1_000_000     # fewer: start-up is all one sees
            row.append(f"{(min(mine) - min(plain)) / live[0]:+.1f}" if told else "")
        rows.append(row)
    side = [f"{mode}: side bytes a block" for mode in modes]
    return ["ns an operation", "plain", *modes, *side], rows


def size_table(figures, workloads, modes):
    """Resident memory at the peak, against plain and the limit of 1.15 x plain + 8 MB."""
    rows = []
    for workload in workloads:
        plain = figures.values(workload, "plain", "peak_rss")
        row = [workload, f"{min(plain) / MB:.1f}" if plain else "fail"]
        for mode in modes:
            mine = figures.values(workload, mode, "peak_rss")
            if not (mine and plain):
                row.append("fail")
                continue
            base, peak = statistics.median(plain), statistics.median(mine)
            mark = "" if peak <= 1.15 * base + 8 * MB else " OVER"
            row.append(f"{peak / base:.2f}x, {(peak - base) / MB:+.1f}{mark}")
        rows.append(row)
    return ["peak RSS, MB", "plain", *modes], rows


def give_back_table(figures, workloads, modes):
    rows = []
    for workload in workloads:
        for mode in ["plain", *modes]:
            runs = figures.good(workload, mode)
            if runs and "rss_after" in runs[0]:
                row = [workload, mode]
                for key in ("rss_start", "rss_full", "rss_at_once", "rss_after"):
                    row.append(f"{statistics.median(run[key] for run in runs) / MB:.1f}")
                rows.append(row + [f"{figures.best(workload, mode):.2f}"])
    return ["given back, RSS in MB", "mode", "start", "all live", "dropped", "3 s later",
            "CPU, s"], rows


def start_table(figures, workloads, modes):
    rows = []
    for workload in workloads:
        for key, title in (("process_wall", "wall"), ("process_cpu", "CPU")):
            plain = [1e3 * value for value in figures.values(workload, "plain", key)]
            row = [f"{workload}, {title}", f"{statistics.median(plain):.1f}" if plain else "fail"]
            for mode in modes:
                mine = [1e3 * value for value in figures.values(workload, mode, key)]
                if not (mine and plain):
                    row.append("fail")
                    continue
                low, _, high = statistics.quantiles(mine, n=4) if len(mine) > 1 else mine * 3
                middle = statistics.median(mine)
                row.append(f"{middle:.1f} ({low:.1f}-{high:.1f}), "
                           f"{middle - statistics.median(plain):+.1f}")
            rows.append(row)
    return ["start + exit, median ms (quartiles)", "plain", *modes], rows


def cost_table(figures, workloads, modes):
    """Over the workloads of a set: the whole process, its memory, the file, the report."""
    def both(workload, mode, key):
        return figures.values(workload, mode, key), figures.values(workload, "plain", key)

    rows = []
    for mode in modes:
        def spread(key, scale):
            values = [value / scale for workload in workloads
                      for value in figures.values(workload, mode, key)]
            return f"{statistics.median(values):.2f} / {max(values):.2f}" if values else ""
        more = []
        for workload in workloads:
            mine, plain = both(workload, mode, "peak_rss")
            if mine and plain:
                more.append((statistics.median(mine) - statistics.median(plain)) / MB)
        rest = []
        for workload in workloads:
            mine, plain = both(workload, mode, "process_cpu")
            if mine and plain:
                rest.append(min(mine) / min(plain))
        rows.append([mode, f"{geometric_mean(rest):.2f} / {max(rest):.2f}" if rest else "fail",
                     f"{statistics.median(more):+.1f} / {max(more):+.1f}" if more else "",
                     spread("file_bytes", MB), spread("report_s", 1)])
    return ["mode", "whole process's CPU: geometric mean / worst", "peak RSS, MB: median / most",
            "file, MB: median / largest", "report, s: median / longest"], rows


TABLES = {"start": [start_table], "size": [size_table, give_back_table],
          "flat": [flat_table, ratio_table]}     # the other sets: ratios, then what else it costs


def problems(runs):
    """What went wrong, a line each: failures, and results that differ from plain's."""
    said = {}
    plain = {(run["python"], run["workload"]): run.get("result")
             for run in runs if run["mode"] == "plain"}
    for run in runs:
        where = f"{run['python']} {run['workload']} under {run['mode']}"
        for key in ("error", "report_error"):
            if key in run:
                said.setdefault(f"{where}: {run[key]}")
        if "error" not in run and run.get("result") != plain.get((run["python"], run["workload"])):
            said.setdefault(f"{where}: the result is {run.get('result')}, not plain's")
    return list(said)


def print_table(header, rows, markdown):
    if markdown:
        print("| " + " | ".join(header) + " |")
        print("| " + " | ".join(["---"] * len(header)) + " |")
        for row in rows:
            print("| " + " | ".join(row) + " |")
    else:
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
        for row in [header, *rows]:
            print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                            for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
    print()


def print_all(record, options):
    runs, kind = record["runs"], record["set"]
    workloads = [name for _, name in SETS[kind] if any(run["workload"] == name for run in runs)]
    modes = [name for name in MODES if name != "plain" and any(run["mode"] == name for run in runs)]
    host = record["host"]
    print(f"{kind}: {host['cpu']}, {host['cores']} cores, {host['memory_mb']} MB, "
          f"Linux {host['kernel']}; {record['started']}, {record['rounds']} rounds; "
          f"load {record['load_start']} to {record['load_end']}"
          + (" (others ran: NOISY)" if record["load_start"] > LOAD_LIMIT else ""))
    for python in record["pythons"]:
        packages = ", ".join(f"{name} {version}" for name, version in python["packages"].items())
        print(f"Python {python['label']}, {python['compiler']}; {packages}")
    for mode in ["plain", *modes]:
        print(f"  {mode}: {MODES[mode].says}")
    print()
    for python in record["pythons"]:
        figures = Figures(runs, python["label"], options.clock, options.short)
        print(("### " if options.markdown else "") + f"Python {python['label']}\n")
        for table in TABLES.get(kind, [ratio_table, cost_table]):
            header, rows = table(figures, workloads, modes)
            if rows:
                print_table(header, rows, options.markdown)
    for line in problems(runs):
        print("! " + line)


def show(paths, options):
    """Print recorded files again; several of one set count as one: more rounds of the same, or other workloads."""
    merged = {}
    for path in paths:
        with open(path) as file:
            record = json.load(file)
        for run in record["runs"]:
            run["from"] = path
        if record["set"] not in merged:
            merged[record["set"]] = record
            continue
        into = merged[record["set"]]
        if record["host"] != into["host"]:
            raise SystemExit(f"{path} was taken on another machine: {record['host']}")
        into["runs"] += record["runs"]
        into["pythons"] += [python for python in record["pythons"] if python["label"] not in
                            [known["label"] for known in into["pythons"]]]
    for record in merged.values():
        rounds = {}     # of each workload: parts of a set may have been taken one by one
        for run in record["runs"]:
            rounds.setdefault(run["workload"], set()).add((run["from"], run["round"]))
        record["rounds"] = min(map(len, rounds.values()))
        print_all(record, options)


def summary(record, options):
    """For each interpreter and mode: geometric mean, worst and the ratio of each workload."""
    found = {}
    for python in record["pythons"]:
        figures = Figures(record["runs"], python["label"],
                          "process" if record["set"] == "start" else options.clock)
        for mode in dict.fromkeys(run["mode"] for run in record["runs"]):
            ratios = {}
            for workload in dict.fromkeys(run["workload"] for run in record["runs"]):
                ratio = figures.ratio(workload, mode)
                if ratio:
                    ratios[workload] = dict(zip(("of_minima", "median", "low", "high"), ratio))
            if ratios:
                minima = {name: ratio["of_minima"] for name, ratio in ratios.items()}
                found.setdefault(python["label"], {})[mode] = {
                    "geometric_mean": geometric_mean(minima.values()),
                    "geometric_mean_of_medians": geometric_mean(
                        [ratio["median"] for ratio in ratios.values()]),
                    "worst": max(minima, key=minima.get), "ratios": ratios}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--set", choices=list(SETS), default="micro")
    add("--python", action="append", metavar="PATH", help="an interpreter (several: again)")
    add("--modes", default="memsure", help=f"of {', '.join(MODES)}; groups memsure, run, peers")
    add("--rounds", type=int, default=3)
    add("--repeats", type=int, default=0, help="repetitions in a process (default: the file's)")
    add("--only", default="*", metavar="GLOBS", help="these workloads, commas between")
    add("--skip", default="", metavar="GLOBS", help="not these")
    add("--clock", choices=["cpu", "wall", "process"], default="cpu",
        help="the work's CPU time, its wall time, or the whole process's CPU time")
    add("--reports", action="store_true", help="also time each mode's own report")
    add("--timeout", type=float, default=300, metavar="S", help="for one run")
    add("--seed", type=int, default=None, help="of the order")
    add("--markdown", action="store_true")
    add("--short", action="store_true", help="cells without their spread")
    add("-o", "--output", metavar="FILE", help="the runs and the tables' figures as JSON")
    add("--show", nargs="+", metavar="FILE", help="print recorded files, run nothing")
    options = parser.parse_args()
    if options.show:
        return show(options.show, options)

    modes = chosen(options.modes)
    pythons = {}
    for python in options.python or [sys.executable]:
        about = about_python(python)
        taken = any(known["version"] == about["version"] for known in pythons.values())
        about["label"] = f"{about['version']} {python}" if taken else about["version"]
        pythons[python] = about
    load = round(os.getloadavg()[0], 2)
    if load > LOAD_LIMIT:
        print(f"warning: the load average is {load}: others run on this machine, the figures "
              "will be noisy", file=sys.stderr)
    record = {"set": options.set, "command": sys.argv, "rounds": options.rounds,
              "started": datetime.datetime.now().isoformat(" ", "seconds"),
              "host": about_host(), "pythons": list(pythons.values()), "load_start": load,
              "load_end": None, "runs": []}

    def save(runs):
        record["runs"] = runs
        record["load_end"] = round(os.getloadavg()[0], 2)
        if options.output:
            with open(options.output + ".new", "w") as file:
                json.dump({**record, "summary": summary(record, options)}, file, indent=1)
            os.replace(options.output + ".new", options.output)

    run_all(options, pythons, modes, save)
    print_all(record, options)


if __name__ == "__main__":
    main()
