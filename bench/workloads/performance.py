"""The pyperformance set: its allocation-heavy benchmarks, run in place.

pyperf would calibrate, warm up and start workers of its own, and time each by wall clock. Here
a stand-in for its Runner takes the benchmark's function and its arguments, so each file of the
installed pyperformance runs unchanged, in this process, for a number of loops that makes one
repetition 0.1-0.5 s.

    python bench/workloads/performance.py NAME [REPEATS]
"""
import argparse
import asyncio
import importlib.util
import os
import runpy
import sys
import time
import types

import timing

BENCHMARKS = {   # name: (folder without bm_, arguments, loops)
    "async_tree": ("async_tree", ["none"], 1),
    "chaos": ("chaos", [], 4),
    "deepcopy": ("deepcopy", [], 300),
    "deltablue": ("deltablue", [], 40),
    "float": ("float", [], 4),
    "genshi": ("genshi", ["xml"], 6),
    "go": ("go", [], 2),
    "html5lib": ("html5lib", [], 4),
    "json_loads": ("json_loads", [], 300),
    "mako": ("mako", [], 20),
    "pickle_pure_python": ("pickle", ["--pure-python", "pickle"], 40),
    "pyflate": ("pyflate", [], 1),
    "raytrace": ("raytrace", [], 1),
    "regex_compile": ("regex_compile", [], 2),
    "sqlglot": ("sqlglot_v2", ["optimize"], 5),
    "xml_etree": ("xml_etree", ["process"], 5),
}


class Runner:
    """As much of pyperf.Runner as the benchmarks call; it keeps the work instead of timing it."""

    def __init__(self, **ignored):
        self.metadata = {}
        self.argparser = argparse.ArgumentParser()
        self.args = argparse.Namespace()

    def parse_args(self, args=None):
        self.args = self.argparser.parse_args(args)
        return self.args

    def bench_func(self, name, function, *args, inner_loops=1):
        def run(loops):
            for _ in range(loops):
                function(*args)
        self.found.append(run)

    def bench_time_func(self, name, function, *args, inner_loops=1):
        self.found.append(lambda loops: function(loops, *args))

    def bench_async_func(self, name, function, *args):
        def run(loops):
            for _ in range(loops):
                asyncio.run(function(*args))
        self.found.append(run)


def prepare(name):
    """Load a benchmark file as the main program; return the work it asks to be timed."""
    folder, arguments, loops = BENCHMARKS[name]
    Runner.found = []
    sys.modules["pyperf"] = types.SimpleNamespace(
        Runner=Runner, perf_counter=time.perf_counter, python_implementation=lambda: "cpython")
    where = importlib.util.find_spec("pyperformance").submodule_search_locations[0]
    path = os.path.join(where, "data-files", "benchmarks", f"bm_{folder}", "run_benchmark.py")
    sys.argv = [path, *arguments]
    sys.path.insert(0, os.path.dirname(path))
    if name == "pickle_pure_python":
        sys.modules.pop("pickle", None)    # a recorder has imported the C one; it wants its own
    kept = runpy.run_path(path, run_name="__main__")   # the functions' globals must stay alive
    work = Runner.found[0]

    def run():
        work(loops)
        return len(kept) > 0
    return run


for _name in BENCHMARKS:
    timing.WORKLOADS[_name] = lambda name=_name: prepare(name)


if __name__ == "__main__":
    timing.main(default_repeats=3)
