"""The ways a program is run: plainly, under memsure, under each peer.

A mode turns (python, script and its arguments, folder for output) into a command line and
environment variables; `output` is what it leaves in the folder (its size is compared), `report`
the command that turns that into the peer's report (its time is compared). The peers run with
the settings that come closest to what memsure records: every Python allocation, by line.
"""
import os
import subprocess
from dataclasses import dataclass
from typing import Callable


class Unavailable(Exception):
    """This mode cannot run with this interpreter; the text says why."""


@dataclass
class Mode:
    name: str
    says: str                                   # one line for the report's legend
    command: Callable                           # (python, program, out) -> command line
    environment: Callable = lambda python, out: {}
    output: str = ""                            # the file or folder it writes, inside out
    report: Callable = None                     # (python, out) -> command line
    needs: str = ""                             # the package it comes from


def plainly(python, program, out):
    return [python, *program]


def memsure_environment(mode):
    """The variables of `memsure env`: the recorder alone, without the monitor's process."""
    found = {}

    def environment(python, out):
        if python not in found:
            asked = subprocess.run([python, "-m", "memsure", "env"], text=True,
                                   capture_output=True)
            if asked.returncode != 0:
                said = asked.stderr.strip().splitlines() or ["no answer"]
                raise Unavailable(f"memsure env: {said[-1]}")
            found[python] = dict(line.removeprefix("export ").split("=", 1)
                                 for line in asked.stdout.splitlines() if "=" in line)
        return {**found[python], "MEMSURE_MODE": mode}
    return environment


def memsure_run(*options):
    def command(python, program, out):
        return [python, "-m", "memsure", "run", "-q", *options, "-o", f"{out}/run.memsure",
                *program]
    return command


def memsure_report(python, out):
    return [python, "-m", "memsure", "report", f"{out}/run.memsure"]


def memray(*options):
    def command(python, program, out):
        return [python, "-m", "memray", "run", "-q", "-f", *options, "-o", f"{out}/memray.bin",
                *program]
    return command


def memray_report(python, out):
    return [python, "-m", "memray", "flamegraph", "-f", "-o", f"{out}/memray.html",
            f"{out}/memray.bin"]


def tracemalloc(frames):
    def command(python, program, out):
        return [python, "-X", f"tracemalloc={frames}", *program]
    return command


def tracemalloc_snapshot(python, out):
    return {"BENCH_SNAPSHOT": f"{out}/snapshot"}    # workloads/timing.py takes it at the end


def tracemalloc_report(python, out):
    return [python, "-c", "import tracemalloc; "
            f"s = tracemalloc.Snapshot.load('{out}/snapshot').statistics('lineno'); "
            "print(*s[:50], sep='\\n')"]


def scalene(*options):
    def command(python, program, out):
        return [python, "-m", "scalene", "run", "--memory", *options, "-o",
                f"{out}/scalene.json", program[0], "---", *program[1:]]
    return command


def scalene_report(python, out):
    return [python, "-m", "scalene", "view", "--cli", f"{out}/scalene.json"]


def fil(python, program, out):
    return [python, "-m", "filprofiler", "--no-browser", "-o", f"{out}/fil", "run", *program]


MODES = {mode.name: mode for mode in [
    Mode("plain", "CPython and its own allocator", plainly),
    Mode("plain-again", "the same once more: what the noise alone makes of a ratio", plainly),
    Mode("memsure-alloc", "memsure's allocator, nothing recorded", plainly,
         memsure_environment("alloc"), needs="memsure"),
    Mode("memsure-line", "every allocation by line, stacks sampled (the default)", plainly,
         memsure_environment("line"), needs="memsure"),
    Mode("memsure-exact", "every allocation with its whole stack", plainly,
         memsure_environment("exact"), needs="memsure"),
    Mode("memsure-run", "memsure run: the default, with its monitor, to the finished file",
         memsure_run(), output="run.memsure", report=memsure_report, needs="memsure"),
    Mode("memsure-run-exact", "memsure run --exact", memsure_run("--exact"),
         output="run.memsure", report=memsure_report, needs="memsure"),
    Mode("memray", "default: malloc and mmap only, not the small Python blocks", memray(),
         output="memray.bin", report=memray_report, needs="memray"),
    Mode("memray-python", "--trace-python-allocators", memray("--trace-python-allocators"),
         output="memray.bin", report=memray_report, needs="memray"),
    Mode("memray-aggregate", "--trace-python-allocators --aggregate",
         memray("--trace-python-allocators", "--aggregate"),
         output="memray.bin", report=memray_report, needs="memray"),
    Mode("memray-native", "--native", memray("--native"),
         output="memray.bin", report=memray_report, needs="memray"),
    Mode("tracemalloc-1", "-X tracemalloc=1, one snapshot at the end", tracemalloc(1),
         tracemalloc_snapshot, "snapshot", tracemalloc_report),
    Mode("tracemalloc-25", "-X tracemalloc=25, one snapshot at the end", tracemalloc(25),
         tracemalloc_snapshot, "snapshot", tracemalloc_report),
    Mode("scalene", "--memory: the lines of the program's own folder (its CPU timer stays on)",
         scalene(), output="scalene.json", report=scalene_report, needs="scalene"),
    Mode("scalene-all", "--memory --profile-all --no-stacks --no-async: libraries too",
         scalene("--profile-all", "--no-stacks", "--no-async"),
         output="scalene.json", report=scalene_report, needs="scalene"),
    Mode("fil", "default; its report is written at exit", fil, output="fil",
         needs="filprofiler"),
]}

GROUPS = {
    "memsure": ["memsure-alloc", "memsure-line", "memsure-exact"],
    "run": ["memsure-run", "memsure-run-exact"],
    "peers": ["memray", "memray-python", "memray-aggregate", "memray-native",
              "tracemalloc-1", "tracemalloc-25", "scalene", "scalene-all", "fil"],
}


def chosen(text):
    """The modes that --modes names, groups spelt out; plain is always among them, first."""
    names = ["plain"]
    for name in text.split(","):
        for one in GROUPS.get(name, [name]):
            if one not in MODES:
                raise SystemExit(f"no mode named {one!r}: there are "
                                 f"{', '.join([*MODES, *GROUPS])}")
            if one not in names:
                names.append(one)
    return [MODES[name] for name in names]


def size_of(path):
    """Bytes of a file, or of all files of a folder; 0 if there is none."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, name))
               for folder, _, names in os.walk(path) for name in names)
