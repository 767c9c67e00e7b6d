"""Programs that look after processes, signals and limits themselves: a snapshot is taken in each, whole, and what the program does
comes out as it would have. Each takes one by memsure.snapshot(), one that nobody waits for, and one that the recorder takes."""

import os
import sys

import pytest
from conftest import MEMSURE, Process, run
from test_snapshot_run import Photo

BEGIN = """
import os, resource, signal, subprocess, sys, threading, time
import memsure
from memsure import _core
class Planted: pass
kept = [Planted() for _ in range(77)]
libc = None
def c():
    global libc
    if libc is None:
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
    return libc
def photos(ask=True):
    memsure.snapshot("call.memsure")
    memsure.snapshot("later.memsure", wait=False)
    if ask:
        got = []
        t = threading.Thread(target=lambda: got.append(_core.ask(os.getpid(), "asked.memsure", 60.0)))
        t.start()
        while t.is_alive():
            scratch = [[] for _ in range(2000)]
            time.sleep(0.001)
        assert isinstance(got[0], dict), got
    while not os.path.exists("later.memsure"):
        time.sleep(0.01)
def children():
    return [pid for task in os.listdir("/proc/self/task") for pid in open(f"/proc/self/task/{task}/children").read().split()]
"""

HOSTS = {
    "its own handler of SIGCHLD": """
got = []
signal.signal(signal.SIGCHLD, lambda *a: got.append(os.waitpid(-1, os.WNOHANG)))
photos()
assert not got, got
p = subprocess.Popen([sys.executable, "-ISc", ""])
while not got: time.sleep(0.01)
assert got == [(p.pid, 0)], got
""",
    "SIGCHLD ignored": """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
photos()
assert signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN
try:
    print(os.wait())
except ChildProcessError:
    pass
""",
    "SA_NOCLDWAIT": """
import ctypes
action = ctypes.create_string_buffer(152)
c().sigaction(signal.SIGCHLD, None, action)
action[136] = 2          # x86-64, aarch64: sa_flags follow a mask of 128 bytes
assert c().sigaction(signal.SIGCHLD, action, None) == 0
photos()
try:
    print(os.wait())
except ChildProcessError:
    pass
""",
    "a thread that waits for any child": """
mine, seen, stop = [], [], []
def reap(wait):
    while not stop:
        try:
            seen.append(wait())
        except ChildProcessError:
            time.sleep(0.0005)
for wait in (lambda: os.waitpid(-1, 0)[0], lambda: os.waitid(os.P_ALL, 0, os.WEXITED).si_pid,
             lambda: (lambda pid: pid if pid > 0 else (_ for _ in ()).throw(ChildProcessError()))(c().waitpid(-1, None, 0x40000000))):   # __WALL: sees ours, too
    for i in range(2):
        if (pid := os.fork()) == 0:
            time.sleep(0.05)
            os._exit(0)
        mine.append(pid)
    stop.clear()
    t = threading.Thread(target=reap, args=(wait,))
    t.start()
    photos()
    stop.append(1)
    t.join()
while len(set(mine) & set(seen)) < len(mine):
    seen.append(os.wait()[0])
assert sorted(pid for pid in seen if pid in mine) == sorted(mine)
""",
    "a subreaper": """
assert c().prctl(36, 1, 0, 0, 0) == 0
got = []
signal.signal(signal.SIGCHLD, lambda *a: got.append(a[0]))
photos()
_core.snapshot_wait(memsure._running.pop())         # memsure.snapshot() does so with what has ended
end = time.monotonic() + 60
while children() and time.monotonic() < end:        # the recorder's are noted by its clock
    scratch = [[] for _ in range(20000)]
    time.sleep(0.01)
assert not children() and not got, (children(), got)
""",
    "no standard streams": """
saved = os.dup(1)
for fd in 0, 1, 2: os.close(fd)
photos()
os.dup2(saved, 1)
""",
    "an interval timer": """
ticks = []
signal.signal(signal.SIGALRM, lambda *a: ticks.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
photos()
n = len(ticks)
while len(ticks) <= n: time.sleep(0.002)
signal.setitimer(signal.ITIMER_REAL, 0)
""",
    "all signals blocked": """
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
photos()
assert len(signal.pthread_sigmask(signal.SIG_BLOCK, [])) >= 60
""",
    "forks in threads": """
import warnings
warnings.simplefilter("ignore")
wrong, stop = [], []
def fork():
    while not stop:
        if (pid := os.fork()) == 0:
            os._exit(7)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 7:
            wrong.append(pid)
        time.sleep(0.005)
threads = [threading.Thread(target=fork) for _ in range(3)]
[t.start() for t in threads]
photos()
stop.append(1)
[t.join() for t in threads]
assert not wrong and not children()
""",
    "a pool of processes": """
import multiprocessing
with multiprocessing.get_context("fork").Pool(2) as pool:
    results = [pool.apply_async(pow, (2, i)) for i in range(100)]
    photos()
    assert [r.get(60) for r in results] == [2 ** i for i in range(100)]
assert not children()
""",
    "subprocesses of asyncio": """
import asyncio, warnings
warnings.simplefilter("ignore")
async def main():
    ps = [await asyncio.create_subprocess_exec("sh", "-c", f"sleep 0.1; exit {i}") for i in range(3)]
    photos()
    return [await p.wait() for p in ps]
watchers = [None] + ([asyncio.SafeChildWatcher, asyncio.PidfdChildWatcher] if sys.version_info < (3, 12) else [])
for watcher in watchers:
    if watcher is None:
        assert asyncio.run(main()) == [0, 1, 2]
        continue
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    w = watcher()
    w.attach_loop(loop)
    asyncio.set_child_watcher(w)
    assert loop.run_until_complete(main()) == [0, 1, 2], watcher
    loop.close()
""",
    "uvloop": """
import asyncio, uvloop
async def main():
    p = await asyncio.create_subprocess_exec("sh", "-c", "sleep 0.1; exit 3")
    photos()
    return await p.wait()
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    assert runner.run(main()) == 3
""",
    "gevent": """
import gevent, gevent.monkey, gevent.subprocess
gevent.monkey.patch_all(thread=False)
p = gevent.subprocess.Popen(["sh", "-c", "sleep 0.1; exit 3"])
gevent.joinall([gevent.spawn(photos), gevent.spawn(gevent.sleep, 0.01)], raise_error=True)
assert p.wait() == 3
""",
    "not dumpable, and nobody": """
c()
for name in os.listdir("."): os.chown(name, 65534, 65534) if os.getuid() == 0 else None
os.setresgid(65534, 65534, 65534), os.setresuid(65534, 65534, 65534) if os.getuid() == 0 else None
assert c().prctl(4, 0, 0, 0, 0) == 0
photos(ask=False)        # the live file is another's
""",
    "a thread with a small stack": """
threading.stack_size(64 << 10)
def take():
    memsure.snapshot("call.memsure")
    memsure.snapshot("here.memsure", fork=False)
t = threading.Thread(target=take)
t.start()
t.join()
photos()
assert os.path.exists("here.memsure")
""",
    "memory locked": """
assert c().mlockall(3) in (0, -1)
photos()
""",
    "memory that no child gets": """
import mmap
m = mmap.mmap(-1, 1 << 20)
m.madvise(mmap.MADV_DONTFORK)
m[:5] = b"alive"
kept.append(memoryview(m))
photos()
assert m[:5] == b"alive"
""",
}


SLOW = {"memory locked", "memory that no child gets", "all signals blocked", "SIGCHLD ignored", "an interval timer", "uvloop", "gevent", "forks in threads"}


@pytest.mark.parametrize("host", [pytest.param(h, marks=pytest.mark.slow) if h in SLOW else h for h in HOSTS])
def test_a_host(host, tmp_path):
    if host in ("uvloop", "gevent"):
        pytest.importorskip(host)
    os.chmod(tmp_path, 0o777)
    os.chmod(tmp_path.parent, 0o755)
    (tmp_path / "app.py").write_text(BEGIN + HOSTS[host] + "\nos.write(1, b'done\\n')\n")
    done = run([*MEMSURE, "run", "-q", "-o", "r.memsure", "--snapshot=exit", "app.py"], cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    for name in "call", "later":
        assert Photo(tmp_path / f"{name}.memsure")["Planted"] == 77
    if "(ask=False)" in HOSTS[host]:
        return
    assert Photo(tmp_path / "asked.memsure")["Planted"] == 77
    recording = tmp_path / "r.memsure"
    if recording.is_dir():
        recording = min(recording.iterdir(), key=lambda p: int(Process(p).info["start_unix_ns"]))
    assert Photo(recording, "exit_")["Planted"] == 77


LIMITS = {
    "no room for files": ("resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))", "File too large"),
    "no descriptor left": ("""
fds = len(os.listdir("/proc/self/fd")) - 1
resource.setrlimit(resource.RLIMIT_NOFILE, (fds, 1000))
""", "Too many open files"),
    "no process left": ("os.setuid(65534) if os.getuid() == 0 else None; resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))", "the system refused a copy"),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_is_one_sentence_and_the_program_goes_on(limit, tmp_path):
    os.chmod(tmp_path, 0o777)
    os.chmod(tmp_path.parent, 0o755)
    (tmp_path / "app.py").write_text(BEGIN + LIMITS[limit][0] + """
for wait in True, False:
    try:
        running = _core.snapshot("call.memsure", wait=wait)
        wait or _core.snapshot_wait(running)
    except _core.Error as e:
        print(str(e).count("\\n"), e, flush=True)
resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))
assert not children()
""")
    done = run([*MEMSURE, "run", "-q", "-o", "r.memsure", "--snapshot=exit", "app.py"], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2 and all(line.startswith("0 ") and LIMITS[limit][1] in line for line in lines), lines
    assert sorted(p.name for p in tmp_path.iterdir()) == ["app.py", "r.memsure"]
    assert int(Process(tmp_path / "r.memsure").info["live_blocks"]) > 77


@pytest.mark.skipif(os.getuid() != 0, reason="only root may change its root")
def test_another_root(tmp_path):
    """There is no /proc there: what the child reads of the system is missing, not the objects."""
    (tmp_path / "app.py").write_text(BEGIN + """
children()
os.chroot(".")
memsure.snapshot("/call.memsure")
memsure.snapshot("/later.memsure", wait=False)
memsure._core.snapshot_wait(memsure._running.pop())
memsure.snapshot("/here.memsure", fork=False)
""")
    done = run([*MEMSURE, "run", "-q", "-o", "r.memsure", "--snapshot=exit", "app.py"], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for name in "call", "later", "here":
        assert Photo(tmp_path / f"{name}.memsure")["Planted"] == 77
    assert int(Process(tmp_path / "r.memsure").info["live_blocks"]) > 77
