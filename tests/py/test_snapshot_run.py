"""Snapshots that `memsure run` takes, and those that are asked for from outside: when, whether they are whole, and that
the program does not notice."""

import collections
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import MEMSURE, Process, check_sums, clean_env, dedent, run

PLANT = """
class Planted:
    pass
class Dropped:
    pass
kept = [Planted() for _ in range(777)]
"""


class Photo:
    """Objects by type of one snapshot: of a file of its own (prefix ""), or of a recording."""

    def __init__(self, path, prefix=""):
        from memsure import _core

        f = _core.open(str(path))
        assert _core.open(str(path)).damage is None
        column = lambda table, name: f.column(prefix + table, name)
        offsets, data = column("strings", "offsets"), bytes(column("strings", "data"))
        strings = [data[offsets[i]:offsets[i + 1]].decode("utf-8", "replace") for i in range(len(offsets) - 1)]
        self.info = {strings[k]: strings[v] for k, v in zip(column("snap_info", "key"), column("snap_info", "value"))}
        types = [strings[i] for i in column("types", "name")]
        of_shape = column("shapes", "type")
        self.shapes = column("objects", "shape")
        self.count = collections.Counter(types[of_shape[s]] for s in self.shapes)
        self.texts = [strings[t] for t in column("texts", "text")]
        self.sites = list(zip([strings[i] for i in column("sites", "function")], column("sites", "line")))
        self.frames = [self.sites[s] for s in column("frames", "site")]
        assert self.info["complete"] == "1" and int(self.info["nodes"]) == len(self.shapes)

    def __getitem__(self, name):
        return self.count["__main__." + name]


def photos(process):
    """{prefix: Photo} of a recording; its info says what is there."""
    named = json.loads(process.info["snapshots"])
    there = {t[:-len("_snap_info")] for t in process.file.tables if t.endswith("_snap_info")}
    assert there == set(named)
    return {name: Photo(process.path, name + "_") for name in named}


def nothing_left(folder, *but):
    """No file is beside the recording that was not there."""
    assert sorted(p.name for p in Path(folder).iterdir()) == sorted(but)


# --- at exit -----------------------------------------------------------------------------------------------------

ENDS = {
    "falls off": ("", 0),
    "sys.exit": ("import sys; sys.exit(3)", 3),
    "exception": ("1 / 0", 1),
    "in a function": ("def f():\n    import sys\n    here = Planted()\n    sys.exit(2)\nf()", 2),
    "without the collector": ("import gc; gc.disable()", 0),
    "atexit cleared": ("import atexit; atexit.register(print, 'late'); atexit._clear()", 0),
    "atexit called": ("import atexit; atexit._run_exitfuncs()", 0),
    "os._exit": ("import os; os._exit(4)", 4),
    "os._exit in a thread": ("import os, threading\nt = threading.Thread(target=os._exit, args=(5,)); t.start(); t.join()", 5),
    "SystemExit in a thread": ("import threading, sys\nt = threading.Thread(target=sys.exit); t.start(); t.join()", 0),
    "raised in atexit": ("import atexit\n@atexit.register\ndef f(): 1 / 0", 0),
}


@pytest.mark.parametrize("end", ENDS)
def test_at_exit(record, tmp_path, end):
    source, status = ENDS[end]
    rec = record(PLANT + "print(len(kept), flush=True)\n" + source + "\n", ok=False)
    assert rec.status == status and rec.stdout.startswith("777\n"), rec.stderr
    shots = photos(rec.one)
    assert list(shots) == ["exit"] and "snapshot_note" not in rec.info
    assert shots["exit"]["Planted"] in (777, 778) and shots["exit"]["Dropped"] == 0
    assert shots["exit"].info["moment"] == "exit" and shots["exit"].info["pid"] == rec.info["pid"]
    assert 0 < int(rec.info["snapshot_pause_ns"]) < int(rec.info["duration_ns"])
    check_sums(rec.one)
    nothing_left(tmp_path, "app.py", "run1.memsure")


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "os.abort()", "os.execv('/bin/true', ['true'])", "os.kill(os.getpid(), 15)"])
def test_ends_that_leave_no_moment(record, tmp_path, end):
    rec = record(PLANT + "import os\n" + end, "--snapshot=exit", ok=False)     # a peak is taken where the machine is slow enough
    assert photos(rec.one) == {} and "snapshot_note" not in rec.info
    nothing_left(tmp_path, "app.py", "run1.memsure")


def test_at_exit_the_programs_own_exit_functions_have_run(record):
    rec = record(PLANT + """
import atexit
atexit.register(kept.clear)
more = [Planted()]
atexit.register(lambda: more.extend([Dropped(), Dropped()]))
""")
    shot = photos(rec.one)["exit"]
    assert (shot["Planted"], shot["Dropped"]) == (1, 2)


def test_at_exit_daemon_threads_are_still_there(record):
    rec = record(PLANT + """
import threading, time
ready = threading.Barrier(3)
def linger():
    mine = [Dropped() for _ in range(50)]
    ready.wait()
    time.sleep(1000)
for _ in range(2):
    threading.Thread(target=linger, daemon=True).start()
ready.wait()
""")
    shot = photos(rec.one)["exit"]
    assert (shot["Planted"], shot["Dropped"]) == (777, 100)
    assert sum(function == "linger" for function, _ in shot.frames) == 2


def test_at_exit_other_threads_have_been_waited_for(record):
    rec = record(PLANT + """
import threading, time
def work():
    time.sleep(0.3)
    kept.append(Dropped())
threading.Thread(target=work).start()
""")
    assert photos(rec.one)["exit"]["Dropped"] == 1


def test_what_the_child_takes_beside_the_programs_memory_stays(record):
    """A new mapping may lie just below one of the program's, and be one with it for the kernel: it is not given up with it."""
    shot = photos(record(PLANT + """
import ctypes
libc = ctypes.CDLL(None)
libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t] + 3 * [ctypes.c_int] + [ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
step = 64 << 10
taken = sorted(libc.mmap(None, step, 3, 0x22, -1, 0) for _ in range(3000))     # the gaps above are full now
for at in taken[500:2000:6]:
    libc.mprotect(at, step, 1)          # many lines in /proc/self/maps, before
libc.munmap(taken[2400], 8 * step)      # the one gap
""").one)["exit"]
    assert shot["Planted"] == 777


def test_births_are_those_of_the_recording(record):
    rec = record(PLANT)
    shot = photos(rec.one)["exit"]
    line = 1 + next(i for i, text in enumerate(rec.source.splitlines()) if "kept =" in text)
    assert any(n == line for _, n in shot.sites)


def test_a_program_that_looks_sees_no_exit_function(record):
    plain = run([sys.executable, "-c", LOOKS])
    assert record(["-c", LOOKS]).stdout == plain.stdout


LOOKS = """
import atexit
seen = [atexit._ncallbacks()]
atexit.register(print); seen.append(atexit._ncallbacks()); atexit.unregister(print); seen.append(atexit._ncallbacks())
for i in range(100): atexit.register(int)
seen.append(atexit._ncallbacks()); atexit._clear(); seen.append(atexit._ncallbacks()); atexit.register(int)
seen.append(atexit._ncallbacks()); print(seen)
"""


# --- peaks -------------------------------------------------------------------------------------------------------

RISES = PLANT + """
import time
def climb(n):
    held = []
    for i in range(n):
        held.append([Dropped(), bytearray(20_000)])
        if i % 50 == 0:
            time.sleep(0.01)
    for _ in range(150):                 # something is allocated at the height
        held.append([bytearray(20_000)])
        time.sleep(0.002)
    print(len(held), flush=True)
"""


def test_a_peak_and_the_end(record, tmp_path):
    rec = record(RISES + "time.sleep(2.5); climb(700); time.sleep(0.1)")
    shots = photos(rec.one)
    assert sorted(shots) == ["exit", "peak"]                 # the latest peak only
    assert shots["exit"]["Dropped"] == 0 and shots["exit"]["Planted"] == shots["peak"]["Planted"] == 777
    assert shots["peak"]["Dropped"] > 200
    assert int(shots["peak"].info["python_live_bytes"]) > 0.6 * rec.one.number("peak_bytes")
    # the pauses for peaks are within 1 % of the run time (the one at exit comes on top), as processor time
    assert 0 < rec.one.number("snapshot_cpu_ns") < rec.one.number("duration_ns") / 50
    nothing_left(tmp_path, "app.py", "run1.memsure")


SMALL_AND_LARGE = PLANT + """
import time
first = [bytearray(2_000) for _ in range(800)]
for _ in range(60):
    first.append(bytearray(2_000))
    time.sleep(0.01)
time.sleep(1.2)
second = [Dropped() for _ in range(150_000)]
for _ in range(150):
    second.append(bytearray(2_000))
    time.sleep(0.01)
del second
"""


def test_a_small_heap_does_not_forbid_the_peak_of_a_large_one(record, tmp_path):
    """The picture of a small heap costs mostly the start of the child that writes it: that is no measure for each block."""
    rec = record(SMALL_AND_LARGE)
    assert photos(rec.one)["peak"]["Dropped"] > 10_000         # all of them, where nobody else works; where it builds for long, half of them


LARGE_SOON = PLANT + """
import time
first = [bytes(2_000_000) for _ in range(100)]
for _ in range(40):                      # few blocks: the first picture is taken here, and the next is due 40 MB above it
    first.append(bytearray(50_000))
    time.sleep(0.01)
second = [n + 0.5 for n in range(1_800_000)]
for _ in range(80):
    first.append(bytearray(5_000))
    time.sleep(0.01)
del second
"""


def test_a_large_heap_is_photographed_within_the_first_seconds(record, tmp_path):
    """Half a second of a child's work, after an earlier picture: as long as the program ran itself, that is no reason to wait."""
    rec = record(LARGE_SOON)
    assert int(photos(rec.one)["peak"].info["python_live_bytes"]) > 230_000_000


def test_an_end_at_the_peak_is_enough(record, tmp_path):
    rec = record(RISES + "time.sleep(2.5); kept.append([[Dropped(), bytearray(20_000)] for _ in range(700)]); time.sleep(0.3); "
                         "kept.append([bytearray(20_000) for _ in range(50)]); time.sleep(0.3)")
    assert list(photos(rec.one)) == ["exit"]
    nothing_left(tmp_path, "app.py", "run1.memsure")


@pytest.mark.parametrize("policy", ["none", "exit", "peak"])
def test_what_is_not_wanted_is_not_taken(record, tmp_path, policy):
    rec = record(PLANT, f"--snapshot={policy}")
    taken = set(photos(rec.one))
    assert taken == {"exit"} if policy == "exit" else taken == set() if policy == "none" else taken <= {"peak"}
    nothing_left(tmp_path, "app.py", "run1.memsure")


# --- every so often ----------------------------------------------------------------------------------------------

TICKS = PLANT + """
import time
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    kept.append(Dropped())
    time.sleep(0.002)
print(len(kept), flush=True)
"""


def test_every(record, tmp_path):
    rec = record(TICKS.format(seconds=1.6), "--snapshot=every=0.3,exit")
    shots = photos(rec.one)
    ticks = [name for name in shots if name != "exit"]
    assert ticks == [f"s{n:03}" for n in range(1, len(ticks) + 1)] and 3 <= len(ticks) <= 6 and "exit" in shots
    grown = [shots[name]["Dropped"] for name in ticks] + [shots["exit"]["Dropped"]]
    assert grown == sorted(grown) and grown[0] < grown[-1] and all(shots[name].info["moment"] == "every" for name in ticks)
    times = [int(shots[name].info["t_ns"]) for name in ticks]
    assert times == sorted(times) and times[0] >= 0.3e9
    nothing_left(tmp_path, "app.py", "run1.memsure")


@pytest.mark.slow
def test_every_keeps_at_most_sixty(record, tmp_path):
    rec = record(TICKS.format(seconds=12), "--snapshot=every=0.05")
    shots = photos(rec.one)
    assert 20 <= len(shots) <= 60
    times = [int(s.info["t_ns"]) for s in shots.values()]
    assert times == sorted(times) and times[-1] > 10e9 and times[0] < 3e9
    nothing_left(tmp_path, "app.py", "run1.memsure")


# --- asked for ---------------------------------------------------------------------------------------------------

WAITS = PLANT + """
import os, sys, time
print(os.getpid(), flush=True)
end = time.monotonic() + 60
while not os.path.exists(sys.argv[1]) and time.monotonic() < end:
    scratch = [Dropped() for _ in range(2000)]
    time.sleep(0.005)
    del scratch
print("done")
"""


class Session:
    """A program under `memsure run`, alive until stop()."""

    def __init__(self, folder, source, *options, args=()):
        self.folder, self.out = folder, folder / "run.memsure"
        (folder / "app.py").write_text(dedent(source))
        self.go = folder / "go"
        command = [*MEMSURE, "run", "-q", "-o", str(self.out), *options, str(folder / "app.py"), str(self.go), *args]
        self.p = subprocess.Popen(command, env=clean_env(), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.pid = int(self.p.stdout.readline())

    def ask(self, *words):
        return run([*MEMSURE, "snapshot", str(self.pid), *words], cwd=self.folder)

    def stop(self):
        self.go.touch()
        out, err = self.p.communicate(timeout=60)
        assert (self.p.returncode, out) == (0, "done\n"), err
        return Process(self.out)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.go.touch()
        self.p.kill()
        self.p.communicate()


def test_asked_from_outside(tmp_path):
    with Session(tmp_path, WAITS) as s:
        first, second = s.ask(), s.ask("-o", "there.memsure", "-q")
        assert (first.returncode, second.returncode, second.stderr) == (0, 0, ""), first.stderr + second.stderr
        assert f"snapshot of process {s.pid} in snapshot-{s.pid}.memsure" in first.stderr
        for name in f"snapshot-{s.pid}.memsure", "there.memsure":
            shot = Photo(tmp_path / name)
            assert shot["Planted"] == 777 and shot.info["moment"] == "call" and shot.info["pid"] == str(s.pid)
        taken = s.ask("-o", "there.memsure")
        assert taken.returncode == 2 and "is there already" in taken.stderr
        refused = s.ask("-o", "nowhere/x.memsure")
        assert refused.returncode == 2 and "'nowhere' does not exist" in refused.stderr
        third = s.ask()
        assert third.returncode == 0 and (tmp_path / f"snapshot-{s.pid}-2.memsure").exists()
        check_sums(s.stop())
    ended = s.ask()
    assert ended.returncode == 2 and f"no process {s.pid} is running" in ended.stderr


def test_many_ask_at_once(tmp_path):
    with Session(tmp_path, WAITS, "--snapshot=every=0.1") as s:
        asked = [subprocess.Popen([*MEMSURE, "snapshot", str(s.pid), "-q", "-o", f"s{i}.memsure", "--wait", "30"], cwd=tmp_path,
                                  env=clean_env(), stderr=subprocess.PIPE, text=True) for i in range(5)]
        assert [(p.communicate(timeout=60)[1], p.returncode) for p in asked] == [("", 0)] * 5
        assert [Photo(tmp_path / f"s{i}.memsure")["Planted"] for i in range(5)] == [777] * 5
        time.sleep(1)       # who asks goes first; now it is the interval's turn
        assert photos(s.stop())


def test_a_signal_asks_for_each_process(tmp_path):
    with Session(tmp_path, WAITS) as s:
        s.p.send_signal(signal.SIGURG)
        wanted = tmp_path / f"run-{s.pid}-1-signal1.memsure"
        for _ in range(500):
            if wanted.exists():
                break
            time.sleep(0.02)
        assert Photo(wanted)["Planted"] == 777 and Photo(wanted).info["moment"] == "signal"
        p = s.stop()
    assert list(photos(p)) == ["exit"] and wanted.exists()


SECRETS = """
import os, sys, time
class User:
    pass
user = User()
user.name = "".join(["attribute", "11"])
KEYS = {"".join(["dictkey", "22"]): 1, ("tuple", "".join(["inkey", "33"])): 2, "plain key 55": 4}
LISTED = ["".join(["element", "66"]), b"by" + b"tes77", 987654321987654321, sys.intern("".join(["interned", "88"]))]
os.environ["ENVNAME"] = "".join(["environ", "99"])
print(os.getpid(), flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.005)
print("done")
"""
TOLD = (b"attribute11", b"dictkey22", b"inkey33", b"plain key 55", b"element66", b"bytes77", b"987654321987654321",
        b"interned88", b"environ99")


@pytest.mark.parametrize("options", [(), ("--values",)])
def test_what_data_says_is_stored_only_with_values(tmp_path, options):
    """In the recording, and in a snapshot that another process asks for; names of attributes and variables always are."""
    with Session(tmp_path, SECRETS, *options) as s:
        asked = {words: (s.ask("-o", f"asked{len(words)}.memsure", *words), tmp_path / f"asked{len(words)}.memsure") for words in ((), ("--values",))}
        s.stop()
    for said, file in [(options, s.out), *((options or words, file) for words, (_, file) in asked.items())]:
        data = file.read_bytes()
        assert [word for word in TOLD if word in data] == (list(TOLD) if said else []), file.name
        assert b"LISTED" in data and b"User" in data
    assert all(done.returncode == 0 for done, _ in asked.values())


def test_values_is_no_option_of_a_file(tmp_path):
    (tmp_path / "x.memsure").write_bytes(b"")
    done = run([*MEMSURE, "snapshot", "x.memsure", "--values"], cwd=tmp_path)
    assert done.returncode == 2 and "--values is for the number of a process; 'x.memsure' is a file" in done.stderr


def test_a_signal_is_told_at_the_end(tmp_path):
    (tmp_path / "app.py").write_text(PLANT + """
import os, subprocess, time
subprocess.run(["kill", "-URG", str(os.getppid())], check=True)     # another process: what the program itself sends is for its group
for _ in range(100):
    more = [Dropped() for _ in range(1000)]
    time.sleep(0.005)
""")
    done = run([*MEMSURE, "run", "--no-report", "app.py"], cwd=tmp_path)
    (file,) = tmp_path.glob("run-*.memsure")
    assert done.returncode == 0 and f"note: a snapshot is in {file.name}\n" in done.stderr
    assert Photo(file)["Planted"] == 777


def test_a_process_that_waits(tmp_path):
    with Session(tmp_path, PLANT + "import os, sys, time\nprint(os.getpid(), flush=True)\n"
                                   "while not os.path.exists(sys.argv[1]): time.sleep(2)\nprint('done')") as s:
        time.sleep(0.2)
        said = s.ask("--wait", "0.3")
        assert said.returncode == 2 and "Traceback" not in said.stderr
        assert f"process {s.pid} did not come to a safe moment within 0.3 s" in said.stderr and "try: memsure snapshot" in said.stderr
        p = s.stop()                                        # the wish was taken back: nothing is written later
    nothing_left(tmp_path, "app.py", "go", "run.memsure")
    assert list(photos(p)) == ["exit"]


@pytest.mark.parametrize("words, said", [
    (["0"], "no process has the number 0"), (["99999999999"], "no process has the number"), (["4194304"], "no process 4194304 is running"),
    ([str(os.getpid())], f"process {os.getpid()} is not recorded by memsure"), ([], "snapshot needs"), (["1", "2"], "'2' is one too many"),
    ([str(os.getpid()), "--wait", "soon"], "--wait needs seconds, not 'soon'"), ([str(os.getpid()), "--wait", "-1"], "--wait"),
])
def test_asking_in_vain(tmp_path, words, said):
    done = run([*MEMSURE, "snapshot", *words], cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("error: ") and said in done.stderr and "Traceback" not in done.stderr
    nothing_left(tmp_path)


def test_asking_the_monitor_names_its_program(tmp_path):
    with Session(tmp_path, WAITS) as s:
        done = run([*MEMSURE, "snapshot", str(s.p.pid)], cwd=tmp_path)
        assert done.returncode == 2 and f"try: memsure snapshot {s.pid}\n" in done.stderr
        s.stop()


def test_another_users_process(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with Session(tmp_path, WAITS) as s:
        there = tmp_path / "there"
        there.mkdir()
        there.chmod(0o777)
        done = run(["env", "-C", "/", *MEMSURE, "snapshot", str(s.pid), "-o", "/tmp/never.memsure"], user=65534, group=65534)
        if done.returncode == 126 or "PermissionError" in done.stderr or "No module" in done.stderr:
            pytest.skip("the interpreter is not readable by others here")
        assert done.returncode == 2 and f"cannot ask process {s.pid}: it belongs to user root" in done.stderr
        assert f"try: sudo -u root memsure snapshot {s.pid}" in done.stderr
        s.stop()


@pytest.mark.parametrize("word, said", [
    ("often", "--snapshot knows no 'often'"), ("every", "--snapshot=every needs seconds"), ("every=0", "needs seconds, not '0'"),
    ("every=x,exit", "needs seconds, not 'x'"), ("none,exit", "none stands alone"), ("", "--snapshot needs"),
])
def test_policies_that_are_none(tmp_path, word, said):
    done = run([*MEMSURE, "run", f"--snapshot={word}", "-c", "pass"], cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr
    nothing_left(tmp_path)


# --- other processes ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("method", ["fork", *(pytest.param(m, marks=pytest.mark.slow) for m in ("spawn", "forkserver"))])
def test_children_have_their_own(record, tmp_path, method):
    rec = record(f"""
        import multiprocessing, time
        class Mine:
            pass
        def work(n):
            held = [Mine() for _ in range(n)]
            end = time.monotonic() + 1.2
            while time.monotonic() < end:
                time.sleep(0.01)
            globals()["kept"] = held
        if __name__ == "__main__":
            context = multiprocessing.get_context("{method}")
            workers = [context.Process(target=work, args=(n,)) for n in (111, 222)]
            [w.start() for w in workers]; [w.join() for w in workers]
            print([w.exitcode for w in workers], [w.pid for w in workers])
        """)
    assert rec.stdout.startswith("[0, 0]")
    pids = json.loads(rec.stdout[7:])
    module = "__main__" if method == "fork" else "__mp_main__"
    found = {}
    for p in rec.processes:
        shots = photos(p)
        if p.number("pid") in pids:
            found[p.number("pid")] = shots["exit"].count[f"{module}.Mine"]
    assert [found[pid] for pid in pids] == [111, 222]
    first = min(rec.processes, key=lambda p: p.number("start_unix_ns"))
    assert "exit" in photos(first)
    nothing_left(tmp_path, "app.py", "run1.memsure")
    assert all(f.suffix == ".memsure" for f in rec.path.iterdir())


def test_children_that_are_short_cost_nothing(record):
    rec = record("""
        import os, subprocess, sys
        for i in range(3):
            pid = os.fork()
            if pid == 0:
                x = [[] for _ in range(2000)]
                os._exit(0)
            os.waitpid(pid, 0)
        subprocess.run([sys.executable, "-c", "x = [[] for _ in range(2000)]"])
        """)
    ages = sorted((list(photos(p)), p.info["started"]) for p in rec.processes)
    assert len(ages) == 5 and [shots for shots, _ in ages] == [[], [], [], [], ["exit"]]


def test_no_children(record, tmp_path):
    rec = record("""
        import os, subprocess, sys
        subprocess.run([sys.executable, "-c", "import time; x = [[] for _ in range(2000)]; time.sleep(1)"])
        """, "--no-children")
    assert list(photos(rec.one)) == ["exit"]
    nothing_left(tmp_path, "app.py", "run1.memsure")


# --- harmless ----------------------------------------------------------------------------------------------------

BUSY = PLANT + """
import os, queue, signal, sys, threading, time
died = []
signal.signal(signal.SIGCHLD, lambda *a: died.append(a))
tasks, results = queue.Queue(), []
def work():
    while (n := tasks.get()) is not None:
        results.append(sum(len(str(i)) for i in range(n)))
threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads]
for n in range(600):
    tasks.put(n)
    if n % 10 == 0:
        time.sleep(0.02)
[tasks.put(None) for _ in threads]
[t.join() for t in threads]
assert sorted(results) == sorted(sum(len(str(i)) for i in range(n)) for n in range(600))
assert died == []
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("no children")
assert os.system("exit 3") >> 8 == 3
import glob
assert [open(f).read() for f in glob.glob("/proc/self/task/*/children")] in ([""], [])      # not even a zombie
"""


def test_a_busy_program_with_threads(record, tmp_path):
    rec = record(BUSY, "--snapshot=every=0.05,peak,exit")
    assert rec.stdout == "no children\n" and rec.stderr == ""
    shots = photos(rec.one)
    assert len(shots) >= 5 and all(s["Planted"] <= 777 for s in shots.values()) and shots["exit"]["Planted"] == 777
    check_sums(rec.one)
    nothing_left(tmp_path, "app.py", "run1.memsure")


def test_no_room_for_a_copy(record, tmp_path):
    """The program's own limit on its address space leaves no room for a snapshot: a note, and nothing else; or
    room for a smaller answer, which says that it is one."""
    rec = record(PLANT + """
import resource
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (32 << 20, resource.RLIM_INFINITY))
print("on")
""")
    assert rec.stdout == "on\n" and rec.stderr == "" and rec.info["complete"] == "1"
    assert ("exit" in json.loads(rec.info["snapshots"])) != ("snapshot_note" in rec.info)
    if "snapshot_note" in rec.info:
        assert rec.info["snapshot_note"].startswith("exit: ")
    elif "exit_counts" in rec.one.file.tables:
        assert "exit_objects" not in rec.one.file.tables
        assert "too little memory" in " ".join(subprocess.run([*MEMSURE, "snapshot", str(rec.one.path)], capture_output=True, text=True).stdout.split())
    else:
        assert set(photos(rec.one)) == {"exit"}
    nothing_left(tmp_path, "app.py", "run1.memsure")


def small_disk(tmp_path, size):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(disk)], capture_output=True).returncode:
        pytest.skip("no small disk can be made here")
    return disk


@pytest.mark.parametrize("size, what", [("900k", "child"), ("2600k", "recording")])
def test_a_full_disk(tmp_path, size, what):
    """No room for the snapshot: the recording says so. Room for it, but not for both: it stays a file of its own."""
    disk = small_disk(tmp_path, size)
    try:
        (tmp_path / "app.py").write_text(PLANT + "more = [[i] for i in range(12000)]\nprint('on')\n")
        done = run([*MEMSURE, "run", "--no-report", "--snapshot=exit", "-o", str(disk / "r.memsure"), "app.py"], cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, "on\n")
        p = Process(disk / "r.memsure")
        check_sums(p)
        assert photos(p) == {}
        files = [f.name for f in disk.iterdir() if f.name != "r.memsure"]
        if what == "child":
            assert "No space left on device" in p.info["snapshot_note"] and files == []
            told = run([*MEMSURE, "report", "--width", "1000", str(disk / "r.memsure")]).stdout
            assert "Notseen:" in "".join(told.split()) and "".join(f"a snapshot ({p.info['snapshot_note']})".split()) in "".join(told.split())
        else:
            (file,) = files
            assert Photo(disk / file)["Planted"] == 777 and file in done.stderr
            assert "files of their own" in p.info["snapshot_note"]
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_killed_monitor_leaves_files(tmp_path):
    """The program goes with its monitor. A snapshot that stands is a whole file of its own."""
    with Session(tmp_path, WAITS, "--snapshot=every=0.1,exit") as s:
        for _ in range(500):
            if len(list(tmp_path.glob("run-*-every*.memsure"))) >= 3:
                break
            time.sleep(0.02)
        s.p.kill()
        s.p.communicate()
        time.sleep(0.3)
        files = sorted(tmp_path.glob("run-*-every*.memsure"))
        assert len(files) >= 3 and all(Photo(f)["Planted"] <= 777 for f in files[:2])


def killed(folder, seed):
    chance = random.Random(seed)
    with Session(folder, WAITS, "--snapshot=every=0.02,peak,exit") as s:
        time.sleep(chance.random() * 0.4)
        os.kill(s.pid, signal.SIGKILL)
        s.p.communicate(timeout=60)
        assert s.p.returncode == -signal.SIGKILL
        p = Process(s.out)
        assert p.info["exit_kind"] == "signal"
        check_sums(p)
        assert all(x["Planted"] <= 777 for x in photos(p).values())    # perhaps of the start
    nothing_left(folder, "app.py", "go", "run.memsure")


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment(tmp_path, seed):
    killed(tmp_path, seed)


@pytest.mark.slow
def test_killed_at_any_moment_often(tmp_path):
    for seed in range(100, 140):
        folder = tmp_path / str(seed)
        folder.mkdir()
        killed(folder, seed)


def test_interim_recordings_are_whole_without(tmp_path):
    with Session(tmp_path, WAITS, "--snapshot=every=0.2") as s:
        for _ in range(400):
            if s.out.exists() and s.out.stat().st_size:
                break
            time.sleep(0.02)
        assert photos(Process(s.out)) == {}
        assert photos(s.stop())


def test_the_programs_outputs_end_with_it(tmp_path):
    """What writes a snapshot holds none of the program's files: who reads its output is not kept waiting. With the program gone its
    pipe is at its end, whatever still writes."""
    rec = run([*MEMSURE, "run", "-q", "-o", str(tmp_path / "r.memsure"), "-c", dedent("""
        import os, time
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(r)
            keep = [[i] for i in range(60_000)]
            time.sleep(2)
            os.write(w, b"x")
            os._exit(0)
        os.close(w)
        os.waitpid(pid, 0)
        os.set_blocking(r, False)
        try:
            print(os.read(r, 9), os.read(r, 9))
        except BlockingIOError:
            print("somebody holds it")
        """)])
    assert rec.returncode == 0, rec.stderr
    assert rec.stdout.strip() == "b'x' b''"
    p = [q for q in map(Process, (tmp_path / "r.memsure").iterdir()) if q.info["started"] == "fork"][0]
    assert photos(p)["exit"].info["moment"] == "exit"


WEB = PLANT + """
import asyncio, hashlib, json, os, sys, threading, time
cache, wrong = {{}}, []
def page(n):
    rows = [{{"id": i, "name": f"user {{i}}", "tags": [str(i), {{"k": i}}]}} for i in range(n % 50 + 5)]
    text = json.dumps(rows)
    cache[n % 300] = rows
    return hashlib.sha256(text.encode()).hexdigest()
right = {{n: page(n) for n in range(100)}}
stop = threading.Event()
def serve():
    n = 0
    while not stop.is_set():
        n += 1
        if page(n % 100) != right[n % 100]:
            wrong.append(n)
        time.sleep(0.0005)
async def handle(n):
    await asyncio.sleep(0)
    if page(n % 100) != right[n % 100]:
        wrong.append(n)
async def main():
    while not os.path.exists(sys.argv[1]):
        await asyncio.gather(*(handle(n) for n in range(20)))
        await asyncio.sleep(0.001)
threads = [threading.Thread(target=serve) for _ in range({threads})]
[t.start() for t in threads]
print(os.getpid(), flush=True)
asyncio.run(main())
stop.set()
[t.join() for t in threads]
print("done" if not wrong else wrong)
"""


def asked_often(tmp_path, times):
    from memsure import _core

    with Session(tmp_path, WEB.format(threads=3)) as s:
        shot = tmp_path / "shot.memsure"
        for i in range(times):
            answer = _core.ask(s.pid, str(shot), 60.0)
            assert isinstance(answer, dict), (i, answer)
            if i % 20 == 0:
                assert Photo(shot)["Planted"] == 777
            shot.unlink()
        p = s.stop()
    check_sums(p)
    assert photos(p)["exit"]["Planted"] == 777
    nothing_left(tmp_path, "app.py", "go", "run.memsure")


def test_a_busy_server_is_asked_often(tmp_path):
    asked_often(tmp_path, 25)


@pytest.mark.slow
def test_a_busy_server_is_asked_a_thousand_times(tmp_path):
    asked_often(tmp_path, 1000)
