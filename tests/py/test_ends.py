"""What is said of a program's end, and of one that cannot be recorded at all: real runs, judged as `memsure report` does."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from conftest import MEMSURE, run

from memsure import _core, recording, report, snap


def judged(rec):
    return report.data(recording.load(rec.path))


@pytest.mark.parametrize("env, flags", [({"PYTHONMALLOC": "malloc"}, []), ({"PYTHONMALLOC": "debug"}, []),
                                        ({"PYTHONDEVMODE": "1"}, []), ({}, ["-X", "dev"])])
def test_another_allocator_is_not_healthy(record, env, flags):
    rec = record(["--", sys.executable, *flags, "-c", "x = [[i] for i in range(10_000)]"], env=env)
    assert judged(rec)["verdict"]["kind"] == "unrecorded"


@pytest.mark.parametrize("flag", ["-V", "-c pass"])
def test_a_program_that_does_nothing_is_not_taken_for_unrecorded(record, flag):
    assert judged(record(["--", sys.executable, *flag.split()]))["verdict"]["kind"] == "healthy"


GROWS_AND_LINGERS = """
import sys, time

class Last:
    def __del__(self, sleep=time.sleep):                # runs while the interpreter takes itself down
        sleep(2.5)

sys.last = Last()
keep = []
for _ in range(75):
    keep.append(bytearray(1 << 20))
    time.sleep(0.02)
"""


def test_finalization_is_no_part_of_what_is_judged(record):
    rec = record(GROWS_AND_LINGERS)
    p = recording.load(rec.path).first
    assert p.duration_ns > 3.9e9, "it lingered"
    points = p.column("curve_points", "t_ns")
    times, python = p.timeline("python_bytes")
    assert 1.4e9 < points[-1] < 2.4e9 and 1.4e9 < times[-1] < 2.4e9
    assert python[-1] > 75 << 20
    said = judged(rec)
    assert said["verdict"]["kind"] == "leak", said["verdict"]
    assert said["findings"][0]["growth"]["to_s"] < 2.4
    assert said["findings"][0]["growth"]["rise_bytes"] > 40 << 20


def test_the_sum_of_the_end_is_of_one_moment(record):
    """What is freed right before the end is not in RSS any more: a last look of the monitor's may have been before it."""
    for _ in range(5):
        rec = record("""
            import time
            x = [bytearray(1 << 20) for _ in range(50)]
            time.sleep(0.3)
            x.clear()
        """)
        end = judged(rec)["memory"]["end"]
        assert end["rss"] < 30 << 20 and end["unaccounted"] < 10 << 20, end  # 50 MiB where it is of two moments


def test_a_program_too_short_to_be_looked_at_says_what_is_files(record):
    end = judged(record("pass"))["memory"]["end"]
    assert end["files"] > 2 << 20, end
    assert end["unaccounted"] < end["rss"] / 2, end


def test_the_preload_is_found_in_the_build_tree(tmp_path):
    """An editable install loads _core out of the build tree, where the preload is in ../record/."""
    home = Path(_core.__file__).parent
    package, built, other = tmp_path / "site" / "memsure", tmp_path / "build" / "src" / "py", tmp_path / "build" / "src" / "record"
    for folder in (package, built, other):
        folder.mkdir(parents=True)
    for file in home.glob("*.py"):
        shutil.copy(file, package)
    core = Path(shutil.copy(_core.__file__, built))
    for name in ("memsure_preload.so", "memsure_record.so"):
        shutil.copy(home / name if (home / name).exists() else home / "../record" / name, other)
    (package / "__init__.py").write_text((package / "__init__.py").read_text() + f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("memsure._core", {str(core)!r})
_core = sys.modules["memsure._core"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(_core)
""")
    out = tmp_path / "run.memsure"
    done = run([*MEMSURE, "run", "-q", "-o", str(out), "-c", "pass"], env={"PYTHONPATH": str(tmp_path / "site")}, cwd=tmp_path)
    assert done.returncode == 0 and os.path.exists(out), done.stderr
    assert recording.load(out).first.number("allocated_blocks") > 10_000
    told = run([*MEMSURE, "env"], env={"PYTHONPATH": str(tmp_path / "site")}, cwd=tmp_path).stdout
    preload = dict(line.split("=", 1) for line in told.splitlines())["LD_PRELOAD"]
    assert os.path.samefile(preload, other / "memsure_preload.so")


SHARES_A_PROCESSOR = """
import os, subprocess, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
other = subprocess.Popen([sys.executable, "-SEc", "while True: pass"], env={})    # on the same one, and not recorded
before = int(open("/proc/self/schedstat").read().split()[1])
until, kept = time.process_time() + 0.3, []
while time.process_time() < until:
    kept.append(bytes(1000))
time.sleep(0.1)                                         # so that the monitor looks again
other.kill()
other.wait()
print(before, int(open("/proc/self/schedstat").read().split()[1]))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="this system does not tell")
def test_what_a_program_waits_for_a_processor_is_no_time_of_its_epochs(record):
    rec = record(SHARES_A_PROCESSOR)
    before, after = map(int, rec.stdout.split())
    p = recording.load(rec.path).first
    times, waited = p.timeline("waited_ns")
    assert all(a <= b for a, b in zip(waited, waited[1:]))
    assert 0 < waited[-1] <= times[-1], (waited[-1], before, after)
    end = snap.Snapshot.open(str(rec.path))
    seen = max((w for t, w in zip(times, waited) if t <= end.number("t_ns") / 2), default=0)
    assert end.core.epoch * end.core.epoch_ns <= end.number("t_ns") - seen
