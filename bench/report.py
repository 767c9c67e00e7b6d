"""How long `memsure report` takes on a recording of 20,000 sites, 40,000 stacks and 400 curves: the
best and the median of several runs, start of the interpreter included. The tests only count what it
reads and calls; times are taken here, on a machine that has nothing else to do.

    python bench/report.py [--rounds 10]        with a python that has memsure
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests/py"))
import synthetic  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "run.memsure"
        synthetic.large(folder).write(path)
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-m", "memsure", "report", path], check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - start)
        print(f"{path.stat().st_size / 2**20:.1f} MiB: best {min(times):.3f} s, median {statistics.median(times):.3f} s")


main()
