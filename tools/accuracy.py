#!/usr/bin/env python3
"""Real programs under memsure: does the known bug come first, is the repaired release silent, is health left alone?

    tools/accuracy.py --cache DIR                       all of tests/corpus/corpus.toml; writes docs/ACCURACY.md
    tools/accuracy.py --cache DIR --only regex_fuzzy    this one (may be given several times); writes no page
    tools/accuracy.py --cache DIR --measure             the bugs themselves, seen without memsure
    tools/accuracy.py --cache DIR --again               run all anew (after a change of the recorder)
    tools/accuracy.py --cache DIR --jobs 2              two programs at a time: what has cores enough for both takes half the time
    tools/accuracy.py --cache DIR --page                only write the page from what earlier runs found out

Interpreters are python3.11 and so on of the PATH, or given: --python 3.11=/opt/python3.11/bin/python3. memsure is installed
from this checkout into DIR, once for each minor (--reinstall after a change), or given: --memsure 3.11=/path/to/memsure.

Each set of pins has a virtual environment below DIR, each program runs there as `memsure run -- python PROGRAM`; recordings
stay below DIR, and what came out stands in DIR/results.json, so that a run that was cut short goes on where it was when it is
started once more (without --again, which forgets what was run). Reports are made anew each time, so after a change of the
checks nothing has to run again. A sick program passes when one of the first three findings has a rule and a culprit that
corpus.toml expects; its clean twin, when no finding has one of these rules. A finding on a healthy program counts as wrong
unless corpus.toml calls it right and says why. Exit status: 0 the goals are met (nine in ten found, clean ones silent, at most
one wrong finding on all healthy ones), 1 not, 2 it could not be run.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "corpus"
FIRST = 3               # a culprit further down is a miss
FOUND_SHARE = 0.9
WRONG_MOST = 1
KEEP = ("rule", "principle", "file", "line", "function", "bytes", "what", "title", "culprit", "path", "confidence", "verdict", "note",
        "own", "library", "saves_bytes")           # of a finding, for the page and for looking back


def read_corpus(path=CORPUS / "corpus.toml"):
    with open(path, "rb") as f:
        corpus = tomllib.load(f)
    for entry in corpus["sick"] + corpus["healthy"]:
        entry.setdefault("python", "3.11")
        entry.setdefault("clean_python", entry["python"])
    for entry in corpus["sick"]:
        entry.setdefault("clean_program", entry["name"])
    return corpus


def minor_of(entry, which):
    """The CPython minor a release runs on: a bug of the standard library has its clean twin on another."""
    return entry["clean_python" if which == "clean" else "python"]


def program_of(entry, which):
    """The program itself; where the bug is the program's own, its clean twin is another."""
    return CORPUS / "sick" / f"{entry['clean_program' if which == 'clean' else 'name']}.py"


# ---- judging: pure functions of findings as `memsure report --json` prints them ----

def texts(finding):
    """All that a finding says about where and who, for a culprit's pattern to match."""
    yield f"{finding.get('file')}:{finding.get('line')}"
    for key in ("function", "what", "title", "culprit", "note"):
        if finding.get(key):
            yield str(finding[key])
    for step in finding.get("path") or ():
        yield step if isinstance(step, str) else json.dumps(step)
    for also in ("own", "library", "called_by"):
        if finding.get(also):
            yield json.dumps(finding[also])


def place(findings, rules, culprit):
    """(place from 1 of the first finding with an expected rule and culprit or None, why it is None)."""
    by_rule = by_culprit = None
    for number, finding in enumerate(findings, 1):
        right_rule = finding.get("rule") in rules
        right_place = any(re.search(culprit, text) for text in texts(finding))
        if right_rule and right_place:
            return number, ""
        if right_rule and by_rule is None:
            by_rule = number
        if right_place and by_culprit is None:
            by_culprit = number
    if by_rule:
        return None, f"{findings[by_rule - 1]['rule']} is number {by_rule}, with another culprit"
    if by_culprit:
        return None, f"the culprit is number {by_culprit}, under {findings[by_culprit - 1].get('rule')}"
    return None, f"{len(findings)} findings, none of it" if findings else "no finding"


def same_rule(findings, rules):
    return [finding for finding in findings if finding.get("rule") in rules]


def wrong(findings, right):
    """Findings on a healthy program that corpus.toml does not call right (`right = [["S3", "pattern", "reason"]]`)."""
    return [finding for finding in findings
            if not any(finding.get("rule") == rule and any(re.search(pattern, text) for text in texts(finding))
                       for rule, pattern, _ in right)]


def line(finding):
    """A finding in one line."""
    where = f"{shorten(finding.get('file'))}:{finding.get('line')}" if finding.get("file") else "-"
    return f"{finding.get('rule')} {where} {shorten(finding.get('what') or finding.get('title'))}" \
           f" [{shorten(finding.get('culprit'))}] {size(finding.get('bytes') or 0)}"


def shorten(text):
    """Paths below an environment, this checkout or the interpreter, without what only this machine has."""
    return re.sub(r"/[^\s:]*/(?:site-packages|tests/corpus|lib/python3\.\d+)/", "", text or "")


def size(number):
    for unit in ("B", "KiB", "MiB"):
        if abs(number) < 1024:
            return f"{number:.4g} {unit}"
        number /= 1024
    return f"{number:.4g} GiB"


def reproduces(shows, bad, clean):
    """Whether two measurements of measure.py differ as the bug says."""
    if shows == "blocks":
        return bad["blocks_growth"] > 5000 and bad["blocks_growth"] > 4 * max(clean["blocks_growth"], 1000)
    if shows == "rss":
        return bad["rss_growth_mib"] > 1 and bad["rss_growth_mib"] > 4 * max(clean["rss_growth_mib"], 0.1)
    if shows == "rss_kept":
        return bad["rss_mib"] - clean["rss_mib"] > 20
    if shows == "garbage":
        return bad["collected"] + bad["waiting"] > 5 * (clean["collected"] + clean["waiting"])
    if shows == "peak":
        return bad["peak_mib"] > 1.3 * clean["peak_mib"]
    if shows == "time":
        return bad["seconds"] > 3 * clean["seconds"]
    raise ValueError(shows)


def measured(shows, one):
    """A measurement as the page shows it."""
    return {"blocks": f"{one['blocks_growth']:+,} blocks", "rss": f"{one['rss_growth_mib']:+.1f} MiB RSS",
            "rss_kept": f"{one['rss_mib']:.0f} MiB RSS", "garbage": f"{one['collected'] + one['waiting']:,} collected",
            "peak": f"{one['peak_mib']:.0f} MiB peak", "time": f"{one['seconds']:.2f} s"}[shows]


# ---- running ----

class Trouble(Exception):
    """Something that could not be run; the text is for the user."""


def call(command, **more):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors="replace", **more)
    return done.returncode, done.stdout, done.stderr


class Runner:
    def __init__(self, options):
        self.o = options
        self.cache = Path(options.cache).expanduser().resolve()
        (self.cache / "recordings").mkdir(parents=True, exist_ok=True)
        self.store = self.cache / "results.json"
        self.results = {} if not self.store.exists() else json.loads(self.store.read_text())
        self.pythons, self.memsures = dict(options.python), dict(options.memsure)
        self.lock, self.making = threading.Lock(), threading.Lock()

    def forget(self, corpus):
        """Let all these programs be run, or measured, anew."""
        names = {e.get("clean_program") for e in corpus["sick"]} | {e["name"] for e in corpus["sick"] + corpus["healthy"]}
        kind = "measure" if self.o.measure else "run-"
        self.results = {key: result for key, result in self.results.items() if not (key.startswith(kind) and key.split()[1] in names)}

    def python(self, minor):
        if minor not in self.pythons:
            found = shutil.which(f"python{minor}")
            if not found:
                raise Trouble(f"no python{minor} here; give one with --python {minor}=PATH")
            self.pythons[minor] = found
        return self.pythons[minor]

    def environment(self, minor, pins):
        """The interpreter of a virtual environment with these pins, made if need be."""
        name = hashlib.sha256(json.dumps([minor, pins]).encode()).hexdigest()[:12]
        folder = self.cache / "venvs" / name
        with self.making:
            self.make(folder, minor, pins)
        return folder / "bin" / "python"

    def make(self, folder, minor, pins):
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            # Without a pip of its own an environment is made ten times as fast; this interpreter's pip installs into it.
            status, out, err = call([self.python(minor), "-m", "venv", "--without-pip", folder])
            if not status and pins:
                status, out, err = call([sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "-q",
                                         "--disable-pip-version-check", *pins])
            if status:
                raise Trouble(f"cannot install {' '.join(pins)}: {(err or out).strip().splitlines()[-1:]}")
            (folder / "ready").write_text(" ".join(pins) + "\n")

    def memsure(self, minor):
        with self.making:
            self.install(minor)
        return self.memsures[minor]

    def install(self, minor):
        if minor not in self.memsures:
            folder = self.cache / f"memsure-{minor}"
            if self.o.reinstall or not (folder / "bin" / "memsure").exists():
                shutil.rmtree(folder, ignore_errors=True)
                status, out, err = call([self.python(minor), "-m", "venv", folder])
                if not status:
                    status, out, err = call([folder / "bin" / "python", "-m", "pip", "install", "-q", str(ROOT)])
                if status:
                    raise Trouble(f"cannot install memsure for {minor}: {(err or out).strip()[-300:]}")
            self.memsures[minor] = folder / "bin" / "memsure"

    def key(self, what, program, pins, minor):
        text = program.read_text() + json.dumps([what, pins, minor, self.o.run_option])
        return f"{what} {program.stem} {hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def once(self, key, do):
        if key not in self.results:
            self.keep(key, do())
        return self.results[key]

    def measure(self, program, pins, minor):
        python = self.environment(minor, pins)

        def do():
            status, out, err = call([python, CORPUS / "measure.py", program], timeout=self.o.timeout, env=self.env(), cwd=self.cache)
            if status:
                raise Trouble(f"{program.name} ended with {status}: {err.strip()[-300:]}")
            return json.loads(err.strip().splitlines()[-1])
        return self.once(self.key("measure", program, pins, minor), do)

    def env(self):
        return {**{k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MEMSURE"))}, "PYTHONHASHSEED": "0"}

    def recorded(self, program, pins, minor, release):
        """What memsure finds in the program: {"findings": [...], "verdict": {...}, "seconds", "recording"} or {"trouble": text}.

        The recording is kept, the report is made anew each time: it is quick, and the checks may have changed."""
        key = self.key(f"run-{release}", program, pins, minor)
        if self.o.page:
            return self.results.get("report " + key)
        python, memsure = self.environment(minor, pins), self.memsure(minor)
        recording = self.cache / "recordings" / f"{program.stem}-{release}.memsure"

        def run():
            if recording.is_dir():
                shutil.rmtree(recording)
            recording.unlink(missing_ok=True)
            began = time.monotonic()
            try:
                status, out, err = call([memsure, "run", "-q", *self.o.run_option, "-o", recording, "--", python, program],
                                        timeout=self.o.timeout, env=self.env(), cwd=self.cache)
            except subprocess.TimeoutExpired:
                return {"trouble": f"not done after {self.o.timeout} s"}
            if status:
                return {"trouble": f"exit status {status}: {(err or out).strip()[-300:]}"}
            return {"seconds": round(time.monotonic() - began, 2), "recording": str(recording)}

        ran = self.once(key, run)
        if "trouble" not in ran:
            status, out, err = call([memsure, "report", recording, "--json"])
            if status:
                ran = {"trouble": f"memsure report: {err.strip()[-300:]}"}
            else:
                report = json.loads(out)
                ran = {**ran, "verdict": report.get("verdict"),
                       "findings": [{k: f[k] for k in KEEP if k in f} for f in report.get("findings", [])]}
        self.keep("report " + key, ran)
        return ran

    def keep(self, key, result):
        with self.lock:
            self.results[key] = result
            part = self.store.with_suffix(".part")
            part.write_text(json.dumps(self.results, indent=1))
            part.replace(self.store)


def do_measure(runner, corpus):
    """The bugs without memsure. Returns the names of those that do not reproduce."""
    absent = []
    for entry in corpus["sick"]:
        both = [runner.measure(program_of(entry, which), entry[which], minor_of(entry, which)) for which in ("bad", "clean")]
        fine = reproduces(entry["shows"], *both)
        if not fine:
            absent.append(entry["name"])
        print(f"{entry['name']:22} {'shows' if fine else 'NOT SHOWN':10} bad {measured(entry['shows'], both[0])}, "
              f"clean {measured(entry['shows'], both[1])}", flush=True)
    return absent


def do_sick(runner, entry):
    row = {"entry": entry}
    for which in ("bad", "clean"):
        row[which] = runner.recorded(program_of(entry, which), entry[which], minor_of(entry, which), which)
    if row["bad"] is None or row["clean"] is None:
        return None
    if "trouble" in row["bad"] or "trouble" in row["clean"]:
        row |= {"place": None, "why": row["bad"].get("trouble") or row["clean"].get("trouble"), "false": []}
    else:
        row["place"], row["why"] = place(row["bad"]["findings"], entry["rules"], entry["culprit"])
        row["false"] = same_rule(row["clean"]["findings"], entry["rules"])
    row["pass"] = row["place"] is not None and row["place"] <= FIRST
    said = f"number {row['place']}" if row["place"] else f"MISSED ({row['why']})"
    false = "" if not row["false"] else "; CLEAN ONE NOT SILENT: " + "; ".join(map(line, row["false"]))
    print(f"{entry['name']:22} {said}{false}", flush=True)
    return row


def do_healthy(runner, entry):
    program = CORPUS / "healthy" / f"{entry['name']}.py"
    result = runner.recorded(program, entry["pins"], entry["python"], "healthy")
    if result is None:
        return None
    bad = wrong(result.get("findings", []), entry.get("right", []))
    row = {"entry": entry, "result": result, "wrong": bad, "trouble": result.get("trouble")}
    print(f"{entry['name']:22} {row['trouble'] or (str(len(bad)) + ' to judge: ' + '; '.join(map(line, bad)) if bad else 'fine')}", flush=True)
    return row


def escape(text):
    return str(text).replace("|", "\\|")


def counted(sick, healthy):
    """The three figures of a set of programs, as a list."""
    found, false = sum(r["pass"] for r in sick), sum(bool(r["false"]) for r in sick)
    bad = sum(len(r["wrong"]) for r in healthy)
    trouble = [r for r in sick if "trouble" in r["bad"] or "trouble" in r["clean"]] + [r for r in healthy if r["trouble"]]
    return [f"- **Known bugs: {found} of {len(sick)}** have the expected rule and culprit among the first {FIRST} findings"
            f" (goal: {FOUND_SHARE:.0%}).",
            f"- **Clean releases: {false} of {len(sick)}** have a finding under the same rule (goal: none).",
            f"- **Healthy programs: {bad} finding{'' if bad == 1 else 's'} on {len(healthy)}** not judged right (goal: at most {WRONG_MOST}).",
            f"- Programs that failed under memsure: {len(trouble)}."]


def sick_table(sick, runner, first):
    """The known bugs as a table, and what memsure says of them; first: with what it said before anything was changed for them."""
    out = [f"| program | python | bad | clean | kind | seen without memsure | rules | {'at first | ' if first else ''}place | clean one |",
           f"| --- | --- | --- | --- | --- | --- | --- | {'--- | ' if first else ''}--- | --- |"]
    for row in sick:
        e = row["entry"]
        both = [runner.results.get(runner.key("measure", program_of(e, w), e[w], minor_of(e, w))) for w in ("bad", "clean")]
        seen = f"{measured(e['shows'], both[0])}; clean {measured(e['shows'], both[1])}" if all(both) else ""
        quiet = "silent" if not row["false"] else ", ".join(f["rule"] for f in row["false"])
        where = row["place"] if row["pass"] else f"**missed**: {escape(row['why'] or 'number ' + str(row['place']))}"
        releases = [" ".join(e[w][:1]) or f"CPython {minor_of(e, w)}" for w in ("bad", "clean")]
        if e["clean_program"] != e["name"]:
            releases = ["its own", "repaired"]
        name = f"[{e['name']}]({e['issue']})" if e["issue"] else e["name"]
        out.append(f"| {name} | {e['python']} | {releases[0]} | {releases[1]} | {e['principle']} | {seen} | {', '.join(e['rules'])} "
                   f"| {escape(e['unseen']) + ' | ' if first else ''}{where} | {quiet} |")
    out += ["", "The bugs, and what memsure said of the bad release first:", ""]
    for row in sick:
        findings = row["bad"].get("findings") or []
        shown = findings[(row["place"] or 1) - 1:][:1]
        out.append(f"- `{row['entry']['name']}`: {row['entry']['bug']}."
                   + "".join(f" memsure: {escape(line(f))}." for f in shown))
    return out


def healthy_table(healthy, first):
    out = [f"| program | pins | python | {'at first | ' if first else ''}findings to judge |", f"| --- | --- | --- | {'--- | ' if first else ''}--- |"]
    for row in healthy:
        e = row["entry"]
        said = row["trouble"] or "; ".join(map(line, row["wrong"])) or "none"
        out.append(f"| {e['name']} | {' '.join(e['pins']) or 'standard library'} | {e['python']} | {escape(e['unseen']) + ' | ' if first else ''}{escape(said)} |")
    judged = [(r["entry"]["name"], *right) for r in healthy for right in r["entry"].get("right", [])]
    if judged:
        out += ["", "Findings on these that were judged right:", ""]
        out += [f"- `{name}`: {rule}, {reason}" for name, rule, _, reason in judged]
    return out


def page(sick, healthy, runner):
    """docs/ACCURACY.md, in full. The programs that the checks were tuned on, and those that they had not seen, each by itself."""
    new_sick, new_healthy = ([r for r in rows if "unseen" in r["entry"]] for rows in (sick, healthy))
    sick, healthy = ([r for r in rows if "unseen" not in r["entry"]] for rows in (sick, healthy))
    hit = sum(r["entry"]["unseen"].startswith("number") for r in new_sick)
    wrong_first = sum(r["entry"]["unseen"] != "none" for r in new_healthy)
    out = ["# How often memsure is right", "",
           "Released versions of libraries with known memory bugs, each next to a release that is free of the bug, and programs in",
           "which nothing is to be repaired. `tests/corpus` has them all, with pins; this repeats the tables:", "",
           "    tools/accuracy.py --cache ~/.cache/memsure-accuracy            what memsure finds; writes this page",
           "    tools/accuracy.py --cache ~/.cache/memsure-accuracy --measure  the bugs themselves, without memsure", "",
           *counted(sick, healthy), "",
           "These programs were used to tune the checks, so the figures flatter. Of programs that",
           f"[the checks had not seen](#programs-the-checks-had-not-seen), {hit} of {len(new_sick)} were found at first, and {wrong_first} of",
           f"{len(new_healthy)} healthy ones had a finding that was wrong.", "",
           "## Known bugs", "",
           "*Seen without memsure* is what `tests/corpus/measure.py` measures in both releases: growth over the last two thirds of the run,",
           "objects that only the collector freed, peak, or time. *Place* is that of the first finding with an expected rule and culprit.", "",
           *sick_table(sick, runner, False), "", "## Healthy programs", "", *healthy_table(healthy, False)]
    if new_sick or new_healthy:
        out += ["", "## Programs the checks had not seen", "",
                "Chosen when the checks stood, from issue trackers and change logs, for kinds of bugs and programs that the lists above lack.",
                "*At first* is what memsure said before anything was changed for them, once: the figure to expect on programs of one's own.",
                f"It found {hit} of {len(new_sick)} ({hit / max(1, len(new_sick)):.0%}), said nothing under the same rule on the clean releases, and said",
                f"something wrong on {wrong_first} of {len(new_healthy)} healthy programs. Left out beforehand: bugs that could not be seen without memsure,",
                "and pairs whose clean release leaks, too. What was then changed is general (planted pairs in `tests/py/planted`), and since then:", "",
                *counted(new_sick, new_healthy), "", *sick_table(new_sick, runner, True), "", *healthy_table(new_healthy, True)]
    return "\n".join(out) + "\n"


def pair(text):
    minor, equals, path = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("MINOR=PATH, as 3.11=/usr/bin/python3.11")
    return minor, path


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], epilog="The head of this file tells the rest.")
    parser.add_argument("--cache", required=True, help="folder for environments, recordings and results")
    parser.add_argument("--only", action="append", help="this program only (may be repeated)")
    parser.add_argument("--measure", action="store_true", help="the bugs themselves, without memsure")
    parser.add_argument("--again", action="store_true", help="run all anew, also what has been run")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="programs at a time [1]")
    parser.add_argument("--page", action="store_true", help="run nothing, write the page")
    parser.add_argument("--python", type=pair, action="append", default=[], metavar="MINOR=PATH")
    parser.add_argument("--memsure", type=pair, action="append", default=[], metavar="MINOR=PATH")
    parser.add_argument("--reinstall", action="store_true", help="install memsure from this checkout anew")
    parser.add_argument("--run-option", action="append", default=[], help="for memsure run, as --run-option=--snapshot=exit")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one program")
    parser.add_argument("-o", "--output", default=str(ROOT / "docs" / "ACCURACY.md"))
    options = parser.parse_args(argv)
    corpus = read_corpus()
    if options.only:
        names = {e["name"] for e in corpus["sick"] + corpus["healthy"]}
        if unknown := set(options.only) - names:
            sys.exit(f"error: no such program: {', '.join(sorted(unknown))}\ntry: one of {', '.join(sorted(names))}")
        corpus = {kind: [e for e in corpus[kind] if e["name"] in options.only] for kind in ("sick", "healthy")}
    try:
        runner = Runner(options)
        if options.again:
            runner.forget(corpus)
        if options.measure:
            return 1 if do_measure(runner, corpus) else 0
        with ThreadPoolExecutor(options.jobs) as pool:
            sick, healthy = ([row for row in pool.map(lambda entry: do(runner, entry), corpus[kind]) if row]
                             for kind, do in (("sick", do_sick), ("healthy", do_healthy)))
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        return 2
    if not options.only:
        Path(options.output).write_text(page(sick, healthy, runner))
    found, false = sum(r["pass"] for r in sick), sum(bool(r["false"]) for r in sick)
    bad = sum(len(r["wrong"]) + bool(r["trouble"]) for r in healthy)
    print(f"{found} of {len(sick)} found, {false} clean ones not silent, {bad} findings or failures on {len(healthy)} healthy ones")
    return 0 if found >= FOUND_SHARE * len(sick) and not false and bad <= WRONG_MOST else 1


if __name__ == "__main__":
    sys.exit(main())
