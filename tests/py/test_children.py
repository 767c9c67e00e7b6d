"""Every Python that a recorded program starts has a recording of its own.

Each program prints a line of JSON per process: its pid and what it made. The tests then look for exactly these
processes in the session folder, and for what they printed in their recordings.
"""

import json
import os
import sys

import pytest

from conftest import Process, check_sums, dedent


HEAD = """
import gc, json, os, sys, warnings
gc.disable()
warnings.simplefilter("ignore")
class S:
    __slots__ = ("a",)
def make(n):
    out = [None] * n
    for i in range(n):
        out[i] = S()                                  # site: made
    return out
def tell(role, made):
    line = json.dumps({"role": role, "pid": os.getpid(), "made": made}) + "\\n"
    os.write(1, line.encode())
"""


def told(rec):
    return [json.loads(line) for line in rec.stdout.splitlines() if line.startswith("{")]


def check_told(rec, extra=0):
    """Each process that spoke has its recording with the number that it said, whole, and there are no others."""
    tales = told(rec)
    for tale in tales:
        found = [p for p in rec.of_pid(tale["pid"]) if rec_line(rec, p).allocated_blocks == tale["made"]]
        assert len(found) == 1, (tale, rec.of_pid(tale["pid"]), [rec_line(rec, p) for p in rec.of_pid(tale["pid"])])
        check_sums(found[0])
        assert found[0].file.damage is None
    assert {p.info["pid"] for p in rec.processes} >= {str(t["pid"]) for t in tales}
    if extra is not None:
        assert len(rec.processes) == len(tales) + extra, (tales, rec.processes)
    names = [p.path.name for p in rec.processes]
    assert len(set(names)) == len(names)
    if rec.path.is_dir():
        for p in rec.processes:
            pid, _, number = p.path.stem.partition("-")
            assert pid == p.info["pid"] and number.isdigit(), p.path
        assert not [n for n in os.listdir(rec.path) if not n.endswith(".memsure")], os.listdir(rec.path)   # nothing half done
    return tales


def rec_line(rec, process):
    return process.line(rec.name, rec.marks["made"][0], "make")


def one(rec, tales, role):
    (tale,) = [t for t in tales if t["role"] == role]
    (process,) = rec.of_pid(tale["pid"])
    return process


def test_a_single_process_gives_a_plain_file(record):
    rec = record(HEAD + "x = make(10); tell('only', 10)")
    assert rec.path.is_file()
    check_told(rec)


def test_fork(record):
    rec = record(HEAD + """
kept = make(3000)
dropped = make(500)
pid = os.fork()
if pid == 0:
    dropped = None                      # inherited, freed here
    kept2 = make(200)
    temporary = make(50); temporary = None
    tell("child", 250)
    sys.exit(3)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
more = make(10)
tell("parent", 3510)
assert status == 3
""")
    tales = check_told(rec)
    parent, child = one(rec, tales, "parent"), one(rec, tales, "child")
    p, c = rec_line(rec, parent), rec_line(rec, child)
    assert (p.allocated_blocks, p.freed_blocks, p.live_blocks, p.inherited_blocks) == (3510, 0, 3510, 0)
    assert (c.allocated_blocks, c.freed_blocks, c.live_blocks, c.inherited_blocks) == (250, 550, 3200, 3500)
    assert c.inherited_bytes == 14 * c.allocated_bytes        # 3500 against 250, all of one size
    assert 3200 <= c.peak_blocks <= 3500
    assert child.info["started"] == "fork" and parent.info["started"] == "preload"
    assert child.info["ppid"] == parent.info["pid"]
    assert (child.info["exit_kind"], child.info["exit_code"]) == ("exit", "3")
    assert (parent.info["exit_kind"], parent.info["exit_code"]) == ("exit", "0")
    assert child.info["complete"] == parent.info["complete"] == "1"


def test_forks_of_forks(record):
    rec = record(HEAD + """
base = make(100)
def child(depth):
    pids = []
    for k in range(2):
        pid = os.fork()
        if pid == 0:
            x = make(10 * depth + k + 1)
            tell(f"{depth}{k}", 10 * depth + k + 1)
            if depth < 3:
                child(depth + 1)
            os._exit(0)
        pids.append(pid)
    for pid in pids: os.waitpid(pid, 0)
tell("root", 100)
child(1)
""")
    tales = check_told(rec)
    assert len(tales) == 1 + 2 + 4 + 8
    for t in tales:
        (p,) = rec.of_pid(t["pid"])
        if t["role"] != "root":
            depth = int(t["role"][0])
            inherited = rec_line(rec, p).inherited_blocks
            least = 100 + sum(10 * d + 1 for d in range(1, depth))
            assert least <= inherited <= least + depth - 1, (t, inherited)


def test_children_that_die_at_once(record):
    """Signals, os._exit, a crash, an exec that fails: each leaves its whole recording."""
    rec = record(HEAD + """
import signal, ctypes
def go(role, end):
    pid = os.fork()
    if pid == 0:
        x = make(77)
        tell(role, 77)
        end()
        os._exit(9)
    os.waitpid(pid, 0)
go("kill", lambda: os.kill(os.getpid(), signal.SIGKILL))
go("term", lambda: os.kill(os.getpid(), signal.SIGTERM))
go("crash", lambda: ctypes.string_at(0))
go("quick", lambda: os._exit(4))
def failing():
    try: os.execv("/no/such/program", ["x"])
    except OSError: os._exit(5)
go("noexec", failing)
tell("parent", 0)
""")
    tales = check_told(rec)
    ends = {t["role"]: (one(rec, tales, t["role"]).info["exit_kind"], one(rec, tales, t["role"]).info["exit_code"]) for t in tales}
    # A child that its parent reaps before the monitor can look leaves its recording, and no word on how it ended.
    wanted = {"kill": ("signal", "9"), "term": ("signal", "15"), "crash": ("signal", "11"), "quick": ("exit", "4"), "noexec": ("exit", "5")}
    assert all(ends[role] == end or ends[role][0] == "unknown" for role, end in wanted.items()), ends


def test_children_that_outlive_their_parent(record):
    rec = record(HEAD + """
import time
if os.fork() == 0:
    x = make(321)
    time.sleep(0.8)
    os._exit(0)
time.sleep(0.1)
""")
    """The session ends with its first program: a child that works on is recorded up to then, and said to run."""
    late = [p for p in rec.processes if p.info["started"] == "fork"]
    assert len(late) == 1 and late[0].info["exit_kind"] == "running"
    assert sum(s["allocated_blocks"] for s in late[0].sites if s["function"] == "make") >= 321


def test_detached_children(record):
    """A daemon (double fork, setsid, closed descriptors) is recorded as long as it runs and does not hang memsure."""
    rec = record(HEAD + """
import time
pid = os.fork()
if pid == 0:
    os.setsid()
    if os.fork() == 0:
        x = make(55)
        tell("daemon", 55)
        for fd in range(3): os.close(fd)
        time.sleep(0.3)
        os._exit(0)
    os._exit(0)
os.waitpid(pid, 0)
time.sleep(0.1)
tell("parent", 0)
""", timeout=30)
    tales = told(rec)
    assert {t["role"] for t in tales} == {"daemon", "parent"}
    check_told(rec, extra=1)            # the one in the middle said nothing


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_pool(record, method):
    rec = record(HEAD + f"""
import multiprocessing as mp, time
def work(n):
    x = make(n)
    time.sleep(0.01)
    return os.getpid(), n
if __name__ == "__main__":
    with mp.get_context({method!r}).Pool(3) as pool:
        jobs = pool.map(work, [10 * k for k in range(1, 31)], chunksize=1)
        pool.close()
        pool.join()
    made = {{}}
    for pid, n in jobs:
        made[pid] = made.get(pid, 0) + n
    for pid, n in made.items():
        print(json.dumps({{"role": "worker", "pid": pid, "made": n}}))
    sys.stdout.flush()
    tell("parent", 0)
""", timeout=60)
    # spawn: the resource tracker; forkserver: the server and the tracker; workers that got no job
    tales = check_told(rec, extra=None)
    assert sum(t["made"] for t in tales) == 10 * 465
    assert sum(rec_line(rec, p).allocated_blocks for p in rec.processes) == 10 * 465
    assert len(rec.processes) <= 1 + 3 + 2


def test_multiprocessing_terminate(record):
    """Pool.__exit__ ends its workers by SIGTERM: their recordings are whole."""
    rec = record(HEAD + """
import multiprocessing as mp
def work(n):
    x = make(n)
    return os.getpid()
if __name__ == "__main__":
    with mp.get_context("fork").Pool(2) as pool:
        pids = set(pool.map(work, [100] * 20, chunksize=1))
    tell("parent", 0)
""", timeout=60)
    assert sum(rec_line(rec, p).allocated_blocks for p in rec.processes) == 2000
    assert all(p.info["complete"] == "1" for p in rec.processes)


@pytest.mark.parametrize("how", ["argv", "shell", "script", "empty_env", "isolated", "system", "posix_spawn", "via_env"])
def test_subprocess(record, tmp_path, how):
    child = tmp_path / "child.py"
    child.write_text(dedent(HEAD) + "x = make(123)\ntell('child', 123)\n")
    script = tmp_path / "start.sh"
    script.write_text(f"#!/bin/sh\necho from the shell\n{sys.executable} {child}\n")
    script.chmod(0o755)
    py = sys.executable
    call = {
        "argv": f"subprocess.run([{py!r}, {str(child)!r}], check=True)",
        "shell": f"subprocess.run({f'{py} {child}; true'!r}, shell=True, check=True)",
        "script": f"subprocess.run([{str(script)!r}], check=True)",
        "empty_env": f"subprocess.run([{py!r}, {str(child)!r}], env={{}}, check=True)",
        "isolated": f"subprocess.run([{py!r}, '-I', '-S', {str(child)!r}], check=True)",
        "system": f"os.system({f'{py} {child}'!r})",
        "posix_spawn": f"os.waitpid(os.posix_spawn({py!r}, [{py!r}, {str(child)!r}], {{}}), 0)",
        "via_env": f"subprocess.run(['env', '-i', {py!r}, {str(child)!r}], check=True)",
    }[how]
    rec = record(HEAD + f"import subprocess\ny = make(7)\n{call}\ntell('parent', 7)\n")
    tales = told(rec)
    assert [t["role"] for t in tales] == ["child", "parent"]
    (process,) = rec.of_pid(tales[0]["pid"])
    line = rec.marks["made"][0]
    assert process.line("child.py", line).allocated_blocks == 123
    assert process.line("child.py", line).inherited_blocks == 0
    (parent,) = rec.of_pid(tales[1]["pid"])
    assert parent.line(rec.name, line).allocated_blocks == 7
    assert len(rec.processes) == 2, rec.processes       # the shell and env leave nothing
    assert process.info["command"] != "" and process.argv[-1].endswith("child.py")


@pytest.mark.parametrize("times", [1, 4])
def test_exec(record, times):
    """exec keeps the pid: each program that ran under it has its own file, PID-0, PID-1, ..."""
    rec = record(HEAD + f"""
k = int(sys.argv[1])
x = make(100 + k)
tell(f"life{{k}}", 100 + k)
if k < {times}:
    os.execv(sys.executable, [sys.executable, __file__, str(k + 1)])
""", args=[0])
    tales = check_told(rec)
    assert len({t["pid"] for t in tales}) == 1 and len(rec.processes) == times + 1
    lives = rec.of_pid(tales[0]["pid"])
    assert [rec_line(rec, p).allocated_blocks for p in lives] == [100 + k for k in range(times + 1)]
    assert [p.info["exit_kind"] for p in lives] == ["exec"] * times + ["exit"]


def test_exec_in_a_forked_child(record, tmp_path):
    (tmp_path / "other.py").write_text("keep = [object() for _ in range(500)]\nimport sys; sys.exit(6)\n")
    rec = record(HEAD + """
x = make(1000)
pid = os.fork()
if pid == 0:
    y = make(3000)                      # enough for a recording of its own; a hundred blocks are only on the way to exec
    tell("child", 3000)
    os.execv(sys.executable, [sys.executable, os.path.join(os.path.dirname(__file__), "other.py")])
tell("parent", 1000)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 6
""")
    tales = check_told(rec, extra=1)
    child = next(t for t in tales if t["role"] == "child")
    before, after = rec.of_pid(child["pid"])
    assert before.info["started"] == "fork" and before.info["exit_kind"] == "exec"
    assert rec_line(rec, before).inherited_blocks == 1000
    assert after.info["exit_code"] == "6" and after.line("other.py", 1).live_blocks >= 500
    assert after.total("inherited_blocks") == 0


def test_exec_of_something_else(record):
    """A program that becomes `true` is over for memsure, with all that it had counted; its status is that of `true`."""
    rec = record(HEAD + "x = make(100)\ntell('python', 100)\nos.execvp('sh', ['sh', '-c', 'exit 8'])\n", ok=False)
    assert rec.status == 8
    check_told(rec)
    assert rec.one.info["exit_kind"] == "exec"


def test_a_command_that_is_no_python(record, tmp_path):
    """`memsure run -- sh -c ...` records every Python on the way, however deep."""
    child = tmp_path / "child.py"
    child.write_text(dedent(HEAD) + "x = make(int(sys.argv[1]))\ntell('child', int(sys.argv[1]))\n")
    rec = record(["--", "sh", "-c", f"for k in 1 2 3; do {sys.executable} {child} $k; done; (sh -c '{sys.executable} {child} 4')"])
    tales = told(rec)
    assert [t["made"] for t in tales] == [1, 2, 3, 4] and len(rec.processes) == 4
    for t in tales:
        (p,) = rec.of_pid(t["pid"])
        line = next(i for i, text in enumerate(child.read_text().splitlines(), 1) if "# site: made" in text)
        assert p.line("child.py", line).allocated_blocks == t["made"]


def test_many_short_children(record):
    """60 children at once, several at a time: none is lost, none overwritten."""
    rec = record(HEAD + """
pids = []
for k in range(60):
    pid = os.fork()
    if pid == 0:
        x = make(k + 1)
        tell("child", k + 1)
        os._exit(0)
    pids.append(pid)
    if len(pids) == 12:
        for p in pids: os.waitpid(p, 0)
        pids = []
tell("parent", 0)
""")
    tales = check_told(rec)
    assert len(tales) == 61


@pytest.mark.skipif(not os.access("/proc/sys/kernel/ns_last_pid", os.W_OK), reason="the kernel lets nobody choose a pid here")
def test_pids_that_repeat(record):
    """Two children with the same pid, one after the other: two files."""
    rec = record(HEAD + """
def child(n, pid=None):
    if pid:
        with open("/proc/sys/kernel/ns_last_pid", "w") as f: f.write(str(pid - 1))
    me = os.fork()
    if me == 0:
        x = make(n)
        tell("child", n)
        os._exit(0)
    os.waitpid(me, 0)
    return me
first = child(11)
for k in range(200):
    if child(1000 + k, first) == first:
        break
else:
    print("never the same pid")
tell("parent", 0)
""")
    if "never" in rec.stdout:
        pytest.skip("another process took the pid each time")
    tales = check_told(rec)
    assert max(len(rec.of_pid(t["pid"])) for t in tales) >= 2


def test_two_sessions_into_one_folder(record, tmp_path):
    """The same -o twice: a folder of recordings is never overwritten; the second session does not start."""
    source = HEAD + "if os.fork() == 0: x = make(5); tell('child', 5); os._exit(0)\nos.wait(); tell('parent', 0)\n"
    first = record(source)
    pids = {str(t["pid"]) for t in told(first)}
    again = record(source)
    assert {str(t["pid"]) for t in told(again)} == {p.info["pid"] for p in again.processes}
    from conftest import MEMSURE, run
    done = run([*MEMSURE, "run", "-q", "-o", str(first.path), str(tmp_path / "app.py")])
    assert done.returncode == 2 and "try:" in done.stderr, done.stderr
    for file in first.path.glob("*.memsure"):
        assert Process(file).info["complete"] == "1"
    assert pids


def test_threads_names_in_children(record):
    rec = record(HEAD + """
import threading
if os.fork() == 0:
    t = threading.Thread(target=make, args=(2000,), name="in-child"); t.start(); t.join()
    tell("child", 2000)
    os._exit(0)
os.wait()
tell("parent", 0)
""", env={"MEMSURE_SAMPLE_BYTES": "1024"})      # a thread is known from its first sample on
    tales = check_told(rec)
    child = one(rec, tales, "child")
    names = [child.strings[t["name"]] for t in child.rows("threads")]
    assert len(names) == 2
    # 3.11 looks for names in its main thread only, and that one waits in join().
    assert "in-child" in names or sys.version_info < (3, 12)
