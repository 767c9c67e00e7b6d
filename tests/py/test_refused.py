"""Where the system refuses a copy of the process: one sentence, and the program's own thread does the work if asked to."""

import os
import sys

import pytest
from conftest import MEMSURE, run
from test_snapshot import Snap
from test_snapshot_exact import leaky  # noqa: F401

PROGRAM = """
import ctypes, os, resource, struct, signal, sys, threading
import memsure
from memsure import _core
class A: pass
KEEP = [A() for i in range(1000)]
def state():
    handlers = [signal.getsignal(s) for s in range(1, 30)], open("/proc/self/status").read().split("SigCgt:")[1].split()[0]
    return handlers, len(os.listdir("/proc/self/fd")), open("/proc/self/maps").read().count("\\n")
memsure.snapshot("forked.memsure")
"""


def check(folder):
    forked, here = Snap(folder / "forked.memsure"), Snap(folder / "here.memsure")
    assert here.info["complete"] == "1" and here.info["cwd"] == forked.info["cwd"] == str(folder)
    assert len(here.of_type("__main__.A")) == len(forked.of_type("__main__.A")) == 1000
    assert abs(here.objects - forked.objects) < 100
    assert all(n not in here.unexplained for n in here.of_type("__main__.A"))
    assert here.retained and len(here.to) > here.objects


@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
def test_without_a_fork_the_file_is_the_same_and_nothing_stays(recorded, tmp_path):
    (tmp_path / "app.py").write_text(PROGRAM + """
memsure.snapshot("here.memsure", fork=False)
before = state()
for i in range(5):
    memsure.snapshot("here.memsure", fork=False)
assert state()[:2] == before[:2] and state()[2] <= before[2] + 3, (before, state())     # files, handlers, memory
try:
    memsure.snapshot("/proc/none/there", fork=False)
except memsure.Error as e:
    print(e)
""".replace("memsure.Error", "_core.Error"))
    words = [*MEMSURE, "run", "-q", "--snapshot=none"] if recorded else [sys.executable]
    done = run([*words, "app.py"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "/proc/none" in done.stdout
    check(tmp_path)


@pytest.mark.parametrize("how", ["processes", "seccomp"])
def test_a_refused_fork_says_what_to_do(how, tmp_path):
    refuse = {
        "processes": "os.setuid(65534) if os.getuid() == 0 else None\nresource.setrlimit(resource.RLIMIT_NPROC, (0, 0))",
        # clone (56), clone3 (435), fork, vfork: EPERM, by a filter of the kernel's
        "seccomp": """
libc = ctypes.CDLL(None, use_errno=True)
code = [(0x20, 0, 0, 0), (0x15, 4, 0, 56), (0x15, 3, 0, 57), (0x15, 2, 0, 58), (0x15, 1, 0, 435), (0x06, 0, 0, 0x7fff0000), (0x06, 0, 0, 0x00050001)]
rows = b"".join(struct.pack("HBBI", *c) for c in code)
filter = ctypes.create_string_buffer(rows)
program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(filter))
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0) == 0, ctypes.get_errno()
""",
    }[how]
    if how == "seccomp" and os.uname().machine != "x86_64":
        pytest.skip("the filter knows the numbers of x86-64")
    os.chmod(tmp_path, 0o777)
    os.chmod(tmp_path.parent, 0o755)
    (tmp_path / "app.py").write_text(PROGRAM + refuse + """
try:
    memsure.snapshot("no.memsure")
    print("taken")
except _core.Error as e:
    print(e)
memsure.snapshot("here.memsure", fork=False)
""")
    done = run([sys.executable, "app.py"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the system refused a copy of this process for the snapshot: ") and "fork=False" in done.stdout
    assert not (tmp_path / "no.memsure").exists()
    check(tmp_path)


def test_a_crash_while_the_program_reads_itself_costs_that_type_only(leaky, tmp_path):
    (tmp_path / "app.py").write_text(f"import sys\nsys.path.insert(0, {str(leaky)!r})" + PROGRAM + """
import faulthandler, leaky
faulthandler.enable()
KEEP.append(leaky.Thing([1]))
leaky.be(1)
memsure.snapshot("here.memsure", fork=False)
leaky.be(0)
os.kill(os.getpid(), signal.SIGSEGV)        # the program's own crash is its own again
""")
    done = run([sys.executable, "app.py"], cwd=tmp_path)
    assert done.returncode == -11 and "Fatal Python error: Segmentation fault" in done.stderr
    check(tmp_path)
    assert "leaky.Thing" in Snap(tmp_path / "here.memsure").info["skipped_types"]
