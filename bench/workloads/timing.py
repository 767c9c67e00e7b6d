"""What every workload file shares: a workload is prepared once, timed a few times inside one
process, and its figures are the last line the process prints, as JSON.

Times are the process's CPU time (all its threads: a recorder's own threads count) and the wall
clock, of the work alone: start-up, imports and preparation are outside. The collector runs
before each repetition, so that each begins alike. The value the work returns is printed too:
compare.py sees to it that a program under a recorder still computes what it did without.
"""
import gc
import os
import sys
import time

WORKLOADS = {}     # name -> a function that prepares and returns the function to time
EXTRA = {}         # what a workload adds to its line, e.g. the number of operations


def work(function):
    """The decorated function is the work itself."""
    WORKLOADS[function.__name__] = lambda: function
    return function


def prepare(function):
    """The decorated function gets things ready and returns the work."""
    WORKLOADS[function.__name__] = function
    return function


def memory():
    """This process's resident memory now and at its peak, in bytes."""
    found = {}
    with open("/proc/self/status") as status:
        for line in status:
            key, value = line.split(":", 1)
            if key in ("VmRSS", "VmHWM"):
                found[key] = int(value.split()[0]) * 1024
    return found["VmRSS"], found["VmHWM"]


def measure(function, repeats):
    """Run function repeats times; return what one line of JSON should say."""
    cpu, wall, result = [], [], None
    for _ in range(repeats):
        gc.collect()
        cpu_start, wall_start = time.process_time(), time.perf_counter()
        value = function()
        cpu_end, wall_end = time.process_time(), time.perf_counter()
        cpu.append(cpu_end - cpu_start)
        wall.append(wall_end - wall_start)
        if result is not None and result != value:
            raise SystemExit(f"the work is not the same each time: {result!r}, then {value!r}")
        result = value
    rss, peak = memory()
    return {"cpu": cpu, "wall": wall, "result": repr(result)[:80], "rss": rss, "peak_rss": peak,
            **EXTRA}


def finish(figures):
    """Print the figures; leave a tracemalloc snapshot where the harness asked for one."""
    import json
    snapshot = os.environ.get("BENCH_SNAPSHOT")
    if snapshot:
        import tracemalloc
        if tracemalloc.is_tracing():
            tracemalloc.take_snapshot().dump(snapshot)
    print(json.dumps(figures), flush=True)


def main(default_repeats):
    """The main program of a workload file: NAME [REPEATS]."""
    name = sys.argv[1]
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else default_repeats
    finish(measure(WORKLOADS[name](), repeats))
