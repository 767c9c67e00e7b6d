"""Objects of subinterpreters: read where they share the main interpreter's lock; where they have one of their own they are left out,
and the answer says so."""

import sys

import pytest
from conftest import MEMSURE, run
from test_snapshot import Snap

from memsure import cli

WORK = """
class InSub:
    def __init__(self): self.held = [1.5] * 10
class Other: pass
import sys
sys.modules["keeper"] = keeper = Other()
keeper.keep = [InSub() for i in range(50)]
"""

MAKE = """
import os, sys, threading, time
try:
    import _interpreters as interpreters
    make = {"shared": lambda: interpreters.create("legacy"), "own": lambda: interpreters.create("isolated")}
except ImportError:
    import _xxsubinterpreters as interpreters
    make = {"shared": lambda: interpreters.create(isolated=False), "own": lambda: interpreters.create(isolated=True)}
run = getattr(interpreters, "exec", None) or interpreters.run_string
"""


def words(recorded):
    return [*MEMSURE, "run", "-q", "--snapshot=none", "-o", "r.memsure"] if recorded else [sys.executable]


@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
def test_one_that_shares_the_lock_is_read(recorded, tmp_path):
    (tmp_path / "app.py").write_text(f"{MAKE}\nimport memsure\nsub = make['shared']()\nrun(sub, {WORK!r})\nmemsure.snapshot('s.memsure')\n")
    done = run([*words(recorded), "app.py"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    s = Snap(tmp_path / "s.memsure")
    assert s.info["unread_interpreters"] == "0"
    found = s.of_type("__main__.InSub")
    assert len(found) == 50 and not set(found) & set(s.unexplained)
    assert "interpreter 1" in s.texts.values()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="all share one lock until 3.12")
@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
def test_one_with_a_lock_of_its_own_is_said_to_be_left_out(recorded, tmp_path, capsys):
    busy = WORK + """
import time
end = time.monotonic() + 1.5
while time.monotonic() < end:
    made = [InSub() for i in range(1000)]
    made = {str(i): (i, [i]) for i in range(1000)}
"""
    (tmp_path / "app.py").write_text(f"""{MAKE}
import memsure
class Mine: pass
KEEP = [Mine() for i in range(100)]
sub = make['own']()
t = threading.Thread(target=run, args=(sub, {busy!r}))
t.start()
n = 0
while t.is_alive():
    memsure.snapshot('s.memsure')
    n += 1
t.join()
print(n)
""")
    done = run([*words(recorded), "app.py"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 2
    s = Snap(tmp_path / "s.memsure")
    assert s.info["unread_interpreters"] == "1" and s.info["complete"] == "1"
    assert len(s.of_type("__main__.Mine")) == 100 and not s.of_type("__main__.InSub")
    assert cli.main(["snapshot", str(tmp_path / "s.memsure")]) == 0
    assert "a lock of its own" in " ".join(capsys.readouterr().out.split())
