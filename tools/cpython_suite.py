#!/usr/bin/env python3
"""CPython's own tests, plain and under memsure: the same outcome, test by test.

    tools/cpython_suite.py                          all modules of cpython_suite.txt, with this interpreter
    tools/cpython_suite.py --fast                   the quick ones, for each change (below two minutes)
    tools/cpython_suite.py --python /usr/bin/python3.12 -o outcome.json
    tools/cpython_suite.py test_gc test_json        these modules only
    tools/cpython_suite.py --self                   plain against plain: which modules are not the same twice

Each module runs in a process of its own, first plain (`python -m test MODULE`), then recorded (`python -m memsure run
-q -o FILE -m test MODULE`). An outcome is the exit status and the result of every test (regrtest's JUnit file); a test
that fails plain must fail recorded too. A module whose outcomes differ runs once more, both ways: if then they agree,
it is called unsteady and not counted as a difference. What is known to differ, and why, stands in cpython_suite.txt.
The recordings must open and be whole. Exit status: 0 the same, 1 something differs, 2 it could not be run.
"""

import argparse
import concurrent.futures
import fnmatch
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

LIST = Path(__file__).with_suffix(".txt")

PROBE = """
import importlib.util, json, sys
names = json.loads(sys.argv[1])
def there(name):
    try:
        return importlib.util.find_spec("test." + name) is not None
    except ImportError:
        return False
print(json.dumps({"version": list(sys.version_info[:3]), "there": [n for n in names if there(n)]}))
"""

OPEN = """
import sys
from memsure import _core
for path in sys.argv[1:]:
    damage = _core.open(path).damage
    if damage:
        print(f"{path}: {damage}")
"""


NAMELESS = "(without a name)"       # in the file of 3.12: a test of which a part (subTest) failed


class Module:
    def __init__(self, name, words):
        self.name, self.fast = name, "fast" in words
        self.accepted = []                  # (versions or None, pattern of test names, reason)


def read_list(path):
    """`MODULE [fast]`, and below it, indented, `accept [VERSION,VERSION] PATTERN: REASON`."""
    modules = {}
    for number, text in enumerate(path.read_text().splitlines(), 1):
        line = text.split("#")[0].rstrip()
        if not line:
            continue
        if not line[0].isspace():
            name, *words = line.split()
            modules[name] = last = Module(name, words)
        elif m := re.fullmatch(r"\s+accept (?:([\d.,]+) )?(\S+): (.+)", line):
            last.accepted.append((m[1] and m[1].split(","), m[2], m[3]))
        else:
            sys.exit(f"{path}:{number}: neither a module nor `accept PATTERN: REASON`")
    return modules


def outcome(command, module, folder, timeout):
    """Run one module and say how it went: {"status", "tests": {name: result}, "seconds", "output"}."""
    junit = folder / "junit.xml"
    work = folder / "work"
    work.mkdir(parents=True)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MEMSURE"))}
    env.update(TMPDIR=str(work), PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0")
    argv = [*command, "-m", "test", "--fail-env-changed", "--junit-xml", str(junit), "--tempdir", str(work), module]
    start = time.monotonic()
    with open(folder / "output", "wb+") as out:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env, cwd=work,
                                   start_new_session=True)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            status = "timeout"
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)      # children that a test left behind, too
            except ProcessLookupError:
                pass
            process.wait()
        out.seek(0)
        output = out.read().decode("utf-8", "replace")
    tests = {}
    if junit.exists():
        for case in ElementTree.parse(junit).iter("testcase"):
            kinds = {child.tag for child in case}
            result = next((k for k in ("error", "failure", "skipped") if k in kinds), "passed")
            name = re.sub(r"0x[0-9a-f]+", "0x", case.get("name") or NAMELESS)
            # A test with several failing parts has several entries: the worst counts.
            order = ("passed", "skipped", "failure", "error")
            tests[name] = max(result, tests.get(name, "passed"), key=order.index)
    changed = sorted(set(re.findall(r"Warning -- (\S+) was modified", output)))
    shutil.rmtree(work, ignore_errors=True)
    return {"status": status, "tests": tests, "changed": changed, "seconds": round(time.monotonic() - start, 2), "output": output}


def differences(plain, under):
    """[(what, plain, recorded)]: single tests where there are such, else how the module as a whole ended."""
    def result(run, name):
        return run["tests"].get(name) or ("failed in part" if NAMELESS in run["tests"] else "absent")

    out = [(name, result(plain, name), result(under, name)) for name in sorted({*plain["tests"], *under["tests"]})
           if plain["tests"].get(name) != under["tests"].get(name)]
    if len(out) > 1:
        out = [d for d in out if d[0] != NAMELESS]
    if plain["changed"] != under["changed"]:
        out.append(("(environment left changed)", " ".join(plain["changed"]) or "no", " ".join(under["changed"]) or "no"))
    if plain["status"] != under["status"]:
        # Implied by single tests that differ, unless one of the two did not even come to its end.
        if not out or not isinstance(under["status"], int) or under["status"] < 0 or not under["tests"]:
            out.append(("(exit status)", plain["status"], under["status"]))
    return out


def short(result):
    """`12 passed, 1 skipped`, or the exit status of what did not come that far."""
    counts = {}
    for value in result["tests"].values():
        counts[value] = counts.get(value, 0) + 1
    text = ", ".join(f"{n} {k}" for k, n in sorted(counts.items(), key=lambda c: -c[1]))
    if result["status"] == 0:
        return text or "nothing to run"
    return f"{text or 'no result'} (exit {result['status']})"


class Suite:
    def __init__(self, options):
        self.o = options
        self.plain = [options.python]
        # Names are short: tests make Unix sockets in folders of their own below, whose paths end at 107 bytes.
        self.root = Path(tempfile.mkdtemp(prefix="cpy-"))
        self.numbers = itertools.count(1)

    def memsure(self, folder):
        command = self.o.memsure.split() if self.o.memsure else [self.o.python, "-m", "memsure"]
        return [*command, "run", "-q", "-o", str(folder / "run.memsure")]

    def pair(self, module):
        """Both outcomes, and the folder of the two runs: below it p (plain) and r (recorded)."""
        both, results = self.root / str(next(self.numbers)), []
        for which in ("p", "r"):
            folder = both / which
            folder.mkdir(parents=True)
            command = self.plain if which == "p" or self.o.self else self.memsure(folder)
            results.append(outcome(command, module.name, folder, self.o.timeout))
        return results, both

    def one(self, module):
        (plain, under), folder = self.pair(module)
        diff, unsteady = differences(plain, under), []
        if diff:
            shutil.rmtree(folder, ignore_errors=True)
            (plain, under), folder = self.pair(module)
            again = differences(plain, under)
            both = {d[0] for d in diff} & {d[0] for d in again}
            unsteady = sorted({d[0] for d in diff + again} - both)
            diff = [d for d in again if d[0] in both]
        accepted = []
        for d in list(diff):
            for versions, pattern, reason in module.accepted:
                if fnmatch.fnmatchcase(d[0], pattern) and (versions is None or self.version in versions):
                    accepted.append([*d, reason])
                    diff.remove(d)
                    break
        damage, recordings, size = [], 0, 0
        if not self.o.self:
            run = folder / "r" / "run.memsure"
            files = sorted(run.glob("*")) if run.is_dir() else [run] if run.exists() else []
            recordings, size = len(files), sum(f.stat().st_size for f in files)
            for some in (files[i:i + 500] for i in range(0, len(files), 500)):
                done = subprocess.run([self.o.python, "-c", OPEN, *map(str, some)], capture_output=True, text=True)
                damage += (done.stdout + done.stderr).splitlines()
            if not files:
                damage.append("no recording was written")
        if not (diff or damage):
            shutil.rmtree(folder, ignore_errors=True)
        return {"module": module.name, "plain": plain, "recorded": under, "differences": [list(d) for d in diff],
                "accepted": accepted, "unsteady": unsteady, "damage": damage, "recordings": recordings, "bytes": size, "folder": str(folder)}

    def run(self, modules):
        done = subprocess.run([self.o.python, "-c", PROBE, json.dumps([*modules, "libregrtest"])], capture_output=True, text=True)
        if done.returncode:
            sys.stderr.write(done.stderr)
            return 2
        probe = json.loads(done.stdout)
        self.version = ".".join(map(str, probe["version"][:2]))
        if "libregrtest" not in probe["there"]:
            print(f"cpython_suite: {self.o.python} has no `test` package; install it (python3-test, libpython3-testsuite) "
                  "or use an interpreter that was built from source.", file=sys.stderr)
            return 2
        absent = [m for m in modules if m not in probe["there"]]
        names = [m for m in modules if m in probe["there"]]
        start, results = time.monotonic(), []
        with concurrent.futures.ThreadPoolExecutor(self.o.jobs) as pool:
            for future in concurrent.futures.as_completed([pool.submit(self.one, modules[n]) for n in names]):
                r = future.result()
                results.append(r)
                self.show(r)
        results.sort(key=lambda r: names.index(r["module"]))
        bad = [r for r in results if r["differences"] or r["damage"]]
        tests = sum(len(r["recorded"]["tests"]) for r in results)
        other = "plain a second time" if self.o.self else "memsure"
        print(f"\nPython {'.'.join(map(str, probe['version']))}: {len(results)} modules, {tests} tests, plain and under {other}, "
              f"{time.monotonic() - start:.0f} s: {len(results) - len(bad)} the same"
              + (f", {len(bad)} not: {' '.join(r['module'] for r in bad)}" if bad else ""))
        for key, text in (("accepted", "differ for a reason given in the list"), ("unsteady", "were not the same twice")):
            if some := [r["module"] for r in results if r[key]]:
                print(f"  {len(some)} {text}: {' '.join(some)}")
        if some := [r["module"] for r in results if r["plain"]["status"] == r["recorded"]["status"] == "timeout"]:
            print(f"  {len(some)} came to no end, plain or recorded, in {self.o.timeout:g} s: {' '.join(some)}")
        if absent:
            print(f"  {len(absent)} are not in this version: {' '.join(absent)}")
        if not bad:
            shutil.rmtree(self.root, ignore_errors=True)
        if self.o.output:
            for r in results:
                for side in ("plain", "recorded"):
                    text = r[side].pop("output")
                    if r["differences"]:
                        r[side]["output"] = text[-20_000:]
            self.o.output.write_text(json.dumps({"python": probe["version"], "executable": self.o.python, "modules": results}, indent=1))
        return 1 if bad else 0

    def show(self, r):
        mark = "differs" if r["differences"] else "damaged" if r["damage"] else "same"
        print(f"{mark:8}{r['module']:40} {short(r['recorded']):45} {r['plain']['seconds']:6.1f} s {r['recorded']['seconds']:6.1f} s", flush=True)
        for what, plain, under in r["differences"]:
            print(f"        {what}: {plain} plain, {under} recorded")
        for what, plain, under, reason in r["accepted"]:
            print(f"        {what}: {plain} plain, {under} recorded; accepted: {reason}")
        for what in r["unsteady"]:
            print(f"        {what}: not the same twice")
        for what in r["damage"][:5]:
            print(f"        {what}")
        if r["differences"] or r["damage"]:
            print(f"        {r['folder']}/[pr]/output")


def main():
    p = argparse.ArgumentParser(description="CPython's own tests, plain and under memsure: the same outcome, test by test.")
    p.add_argument("modules", nargs="*", help="modules to run (default: those of the list)")
    p.add_argument("--python", default=sys.executable, help="the interpreter to test (default: this one)")
    p.add_argument("--memsure", metavar="COMMAND", help="how memsure is called (default: PYTHON -m memsure)")
    p.add_argument("--fast", action="store_true", help="only the modules marked fast")
    p.add_argument("--self", action="store_true", help="plain against plain")
    p.add_argument("--jobs", type=int, default=1, metavar="N", help="modules at once (default 1)")
    p.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help="for one module (default 300)")
    p.add_argument("--list", type=Path, default=LIST, help=f"the list of modules (default: {LIST.name} beside this file)")
    p.add_argument("-o", "--output", type=Path, metavar="FILE", help="write everything as JSON")
    o = p.parse_args()
    for number in signal.SIGINT, signal.SIGQUIT:    # a shell's background jobs ignore them, and so would the tests
        signal.signal(number, signal.default_int_handler)
    modules = read_list(o.list)
    if o.modules:
        modules = {m: modules.get(m) or Module(m, []) for m in o.modules}
    elif o.fast:
        modules = {n: m for n, m in modules.items() if m.fast}
    return Suite(o).run(modules)


if __name__ == "__main__":
    sys.exit(main())
