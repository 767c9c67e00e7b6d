"""memsure.start() and stop(): a process that records itself from some moment on."""
import json
import os
import subprocess
import sys

from conftest import Process, check_sums

PROGRAM = """
import gc, json, os, sys, memsure
def make(n):
    return [object() for _ in range(n)]
before = make(5000)
pid = os.getpid()
memsure.start(sys.argv[1])
kept = make(3000)                                                   # kept
made = make(2000); del made
del before
try:
    memsure.start(sys.argv[1] + "2")
except memsure._core.Error as e:
    twice = str(e)
if len(sys.argv) > 2:
    os.kill(pid, 9)
path = memsure.stop()
late = make(100)
try:
    os.wait()
    children = True
except ChildProcessError:
    children = False
print(json.dumps([path, children, twice, len(kept), len(late)]))
"""


def run(tmp_path, *more):
    out = tmp_path / "self.memsure"
    (tmp_path / "app.py").write_text(PROGRAM)
    done = subprocess.run([sys.executable, str(tmp_path / "app.py"), str(out), *more], capture_output=True, text=True, timeout=60)
    return out, done


def test_a_program_records_itself(tmp_path):
    out, done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    path, children, twice, kept, late = json.loads(done.stdout)
    assert path == str(out) and not children and "already" in twice and (kept, late) == (3000, 100)
    p = Process(out)
    assert p.info["started"] == "late" and p.info["pid"].isdigit()
    assert (p.info["exit_kind"], p.info["complete"]) == ("stopped", "1") and "incomplete_why" not in p.info
    made = [s for s in p.sites if s["function"].startswith("make")]
    assert sum(s["live_blocks"] for s in made) in range(3000, 3010)       # the objects, the list, its items
    assert sum(s["allocated_blocks"] for s in made) >= 5000               # and the ints of range()
    assert int(p.info["before_blocks"]) >= 5000
    check_sums(p)


def test_a_program_that_dies_leaves_its_recording(tmp_path):
    out, done = run(tmp_path, "kill")
    assert done.returncode == -9
    for _ in range(100):                                                  # the monitor writes it after the death
        if out.exists() and Process(out).info.get("complete") == "1":
            break
        subprocess.run(["sleep", "0.05"])
    assert sum(s["live_blocks"] for s in Process(out).sites if s["function"].startswith("make")) >= 3000


def test_stop_without_start():
    done = subprocess.run([sys.executable, "-c", "import memsure\ntry: memsure.stop()\nexcept Exception as e: print(e)"],
                          capture_output=True, text=True)
    assert "memsure.start()" in done.stdout and done.returncode == 0, done


def test_a_path_that_is_taken(tmp_path):
    (tmp_path / "taken").write_text("mine")
    done = subprocess.run([sys.executable, "-c", f"import memsure\nmemsure.start({str(tmp_path / 'taken')!r})"], capture_output=True, text=True)
    assert "FileExistsError" in done.stderr and (tmp_path / "taken").read_text() == "mine"
    assert os.listdir(tmp_path) == ["taken"]


def test_code_that_died_between_two_recordings(tmp_path):
    """Another code lies at its address in the second: its lines are its own."""
    program = tmp_path / "app.py"
    program.write_text("""
import sys, memsure
def code(above):
    return compile("\\n" * above + "if early: keep.append(bytes(5000))\\nif late: keep.append(bytes(6000))\\n", "made.py", "exec")
memsure.start(sys.argv[1])
first = code(0)
exec(first, {"early": 1, "late": 0, "keep": []})
memsure.stop()
at = id(first)
first = None
others = [code(300)]
while id(others[-1]) != at and len(others) < 1000:
    others.append(code(300))
memsure.start(sys.argv[2])
kept = []
exec(others[-1], {"early": 0, "late": 1, "keep": kept})
memsure.stop()
print(id(others[-1]) == at)
""")
    done = subprocess.run([sys.executable, str(program), str(tmp_path / "1.memsure"), str(tmp_path / "2.memsure")],
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    lines = [{s["line"] for s in Process(tmp_path / f"{n}.memsure").sites if s["file"].endswith("made.py")} for n in (1, 2)]
    assert lines == [{1}, {302}]
