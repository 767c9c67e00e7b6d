"""The pytest plugin: what fails, what does not, and what its messages name. Each suite here runs in a process of its own."""

import os
import subprocess
import sys

import pytest
from conftest import MEMSURE, dedent

import memsure.pytest_plugin as plugin

HEAD = "import asyncio, functools, gc, os, threading, warnings, pytest\n"


def suite(tmp_path, source, *words, status=1, under=(), env=None):
    (tmp_path / "test_it.py").write_text(HEAD + dedent(source))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run([*(under or [sys.executable]), "-m", "pytest", "-q", "--strict-markers", "-rA", "-p", "no:cacheprovider", *words],
                          cwd=tmp_path, capture_output=True, text=True, timeout=300, env={**os.environ, **(env or {})})
    assert done.returncode == status, done.stdout + done.stderr
    assert "INTERNAL" not in done.stdout + done.stderr
    return done.stdout


def outcomes(out):
    words = ("PASSED", "FAILED", "SKIPPED", "XFAIL", "XPASS", "ERROR")
    return {x.split()[1].partition("::")[2]: x.split()[0] for x in out.splitlines() if x.split(" ")[0] in words and "::" in x}


LIMITS = """
    @pytest.mark.limit_memory("1 MB")
    def test_over():
        big = bytearray(5 << 20)                    # the big one
        small = [object() for _ in range(1000)]
        del big

    @pytest.mark.limit_memory("6 MiB")
    def test_below():
        big = bytearray(5 << 20)

    @pytest.fixture
    def heavy():
        return bytearray(5 << 20)

    @pytest.mark.limit_memory("1 MB")
    def test_fixtures_do_not_count(heavy):
        pass

    @pytest.mark.limit_memory("1 MB")
    def test_fails_by_itself():
        big = bytearray(5 << 20)
        assert not big

    @pytest.mark.limit_memory("1 MB")
    @pytest.mark.xfail(strict=True)
    def test_expected():
        big = bytearray(5 << 20)

    @pytest.mark.limit_memory("1 MB")
    @pytest.mark.parametrize("size", [10, 5 << 20])
    def test_each(size):
        big = bytearray(size)

    @pytest.mark.limit_memory("1 MB")
    def test_thread():
        threading.Thread(target=lambda: bytearray(3 << 20)).start()

    @pytest.mark.limit_memory("1 MB")
    def test_fork():
        pid = os.fork()
        if pid == 0:
            bytearray(3 << 20)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0

    @pytest.mark.limit_memory("1 MB")
    def test_async():
        async def work():
            return bytearray(3 << 20)
        asyncio.run(work())

    def test_unmarked():
        big = bytearray(5 << 20)
"""


@pytest.mark.parametrize("under", [(), pytest.param([*MEMSURE, "run", "-q", "-o", "run.memsure"], marks=pytest.mark.slow)], ids=["alone", "run"])
def test_limits(tmp_path, under):
    out = suite(tmp_path, LIMITS, under=under)
    assert outcomes(out) == {
        "test_over": "FAILED", "test_below": "PASSED", "test_fixtures_do_not_count": "PASSED", "test_fails_by_itself": "FAILED",
        "test_expected": "XFAIL", "test_each[10]": "PASSED", "test_each[5242880]": "FAILED", "test_thread": "FAILED", "test_fork": "PASSED",
        "test_async": "FAILED", "test_unmarked": "PASSED"}
    over = out[out.index("test_over"):]
    head, first, second = over.splitlines()[1:4]
    assert head.startswith("limit_memory: the peak is 5.0") and "the limit 1.00 MiB" in head
    assert "5.00 MiB  test_it.py:4 in test_over" in first and "# the big one" in first and "test_it.py:5" in second
    assert "assert not big" in out and "limit_memory" not in out[out.index("assert not big"):out.index("test_each")]


LEAKS = """
    CACHE, ONES, calls = {}, [], 0

    @pytest.mark.no_leak
    def test_leak():
        CACHE[len(CACHE)] = bytearray(1000)         # kept

    @pytest.mark.no_leak
    def test_small():
        ONES.append(None)                           # only the list's table grows

    @functools.lru_cache(128)
    def bounded(n):
        return [n]

    @pytest.mark.no_leak
    def test_levels_off():
        global calls
        calls += 1
        bounded(calls)

    class Box:
        pass

    @pytest.mark.no_leak
    def test_garbage_and_files(tmp_path, caplog):
        b = Box(); b.itself = b
        (tmp_path / "x").write_text("text")
        warnings.warn("as ever")
        print("said once")

    runs = []

    @pytest.fixture
    def fresh():
        runs.append(1) if len(runs) < 2 else None
        box = Box()
        box.used = False
        yield box
        assert box.used

    @pytest.mark.no_leak
    @pytest.mark.parametrize("n", [1, 2])
    def test_fixtures_are_fresh(fresh, n):
        assert not fresh.used
        fresh.used = True

    class TestClass:
        @pytest.mark.no_leak
        def test_instance_is_fresh(self):
            assert not hasattr(self, "used")
            self.used = True

    @pytest.mark.no_leak
    def test_fails():
        CACHE[len(CACHE)] = bytearray(1000)
        assert 0

    @pytest.mark.no_leak
    def test_skips():
        pytest.skip("not today")

    @pytest.mark.no_leak
    @pytest.mark.xfail(strict=True)
    def test_known():
        CACHE[len(CACHE)] = bytearray(1000)

    @pytest.fixture
    def broken():
        raise OSError("no set-up")

    @pytest.mark.no_leak
    def test_setup_error(broken):
        pass
"""


def test_leaks(tmp_path):
    out = suite(tmp_path, LEAKS)
    assert outcomes(out) == {
        "test_leak": "FAILED", "test_small": "FAILED", "test_levels_off": "PASSED", "test_garbage_and_files": "PASSED",
        "test_fixtures_are_fresh[1]": "PASSED", "test_fixtures_are_fresh[2]": "PASSED", "TestClass::test_instance_is_fresh": "PASSED",
        "test_fails": "FAILED", "test_known": "XFAIL", "test_setup_error": "ERROR"}
    assert "1 skipped" in out
    lines = out[out.index("no_leak: "):].splitlines()
    assert "with each call, in 300 calls without a plateau" in lines[0]
    assert "KiB per call  test_it.py:6 in test_leak" in lines[1] and "# kept" in lines[1]
    assert "module test_it → .CACHE" in lines[2]
    assert "B per call  test_it.py:10 in test_small" in out
    assert out.count("said once") == 1                          # what the repeated runs say is dropped
    assert "OSError: no set-up" in out and "1 warning" in out


CYCLES = """
    import gc
    FROZEN = gc.get_freeze_count()                              # 3.12 begins with some

    class Node:
        def __init__(self, parent=None):
            self.parent, self.children = parent, []
            if parent:
                parent.children.append(self)

    @pytest.mark.no_cycles
    def test_tree():
        Node(Node())                                # made
        Node(Node())

    @pytest.mark.no_cycles
    def test_collects_by_itself():
        Node(Node())
        gc.collect()

    class Slots:
        __slots__ = "me",

    @pytest.mark.no_cycles
    def test_slots():
        s = Slots(); s.me = s

    @pytest.mark.no_cycles
    def test_kept_error():
        try:
            raise KeyError
        except KeyError as e:
            kept = e

    @pytest.fixture
    def tree():
        return Node(Node())

    @pytest.mark.no_cycles
    def test_of_a_fixture(tree):
        pass

    @pytest.mark.no_cycles
    def test_none():
        class Local:                                # a class is a circle by nature
            pass
        with pytest.raises(ValueError) as e:        # so is what this gives
            raise ValueError
        assert Node().children == [] and Local()

    first = []

    @pytest.mark.no_cycles
    def test_only_the_first_time():
        if not first:
            Node(Node())
            first.append(1)

    def test_the_collector_is_as_it_was():
        assert gc.isenabled() and not gc.get_debug() and not gc.garbage and gc.get_freeze_count() == FROZEN
"""


def test_cycles(tmp_path):
    out = suite(tmp_path, CYCLES)
    assert outcomes(out) == {
        "test_tree": "FAILED", "test_collects_by_itself": "FAILED", "test_slots": "FAILED", "test_kept_error": "FAILED", "test_of_a_fixture": "FAILED",
        "test_none": "PASSED", "test_only_the_first_time": "PASSED", "test_the_collector_is_as_it_was": "PASSED"}
    tree = out[out.index("no_cycles: "):].splitlines()
    assert tree[0] == "no_cycles: 6 objects in circles, left to the collector"
    assert tree[1].strip() in ("Node.children[0].parent is the same Node   ×2   (2 Node, 1 list)", "Node.parent.children[0] is the same Node   ×2   (2 Node, 1 list)")
    assert any("test_it.py:13 in test_tree" in x and "# made" in x for x in tree[3:6])
    assert "Slots.me is the same Slots" in out and "KeyError" in out and "frame of test_kept_error" in out


def test_the_fixture(tmp_path):
    suite(tmp_path, """
        def test_it(memsure):
            m = memsure.mark()
            kept = bytearray(100_000)
            assert 100_000 <= m.since().live_bytes < 101_000
            assert memsure.snapshot().objects > 1000 and memsure.snapshot()
        """, status=0)


@pytest.mark.parametrize("words", [(), pytest.param(("-n", "2"), marks=pytest.mark.slow)], ids=["alone", "xdist"])
def test_the_summary(tmp_path, words):
    if words:
        pytest.importorskip("xdist")
    out = suite(tmp_path, """
        KEPT = []
        def test_high():
            big = bytearray(5 << 20)
        def test_keeps():
            KEPT.append(bytearray(300_000))         # kept
        def test_fails():
            assert 0
        """, "--memsure", *words)
    assert outcomes(out) == {"test_high": "PASSED", "test_keeps": "PASSED", "test_fails": "FAILED"}
    part = out[out.index("Python memory of 3 tests"):]
    high = part[part.index("test_it.py::test_high"):].splitlines()[1]
    assert "at the peak 5.00 MiB  test_it.py:4 in test_high" in high
    assert "kept 293 KiB  test_it.py:6 in test_keeps" in part


@pytest.mark.slow
def test_markers_in_workers(tmp_path):
    pytest.importorskip("xdist")
    assert outcomes(suite(tmp_path, LIMITS, "-n", "2"))["test_over"] == "FAILED"


def test_where_nothing_can_be_recorded(tmp_path):
    (tmp_path / "conftest.py").write_text(dedent("""
        import memsure
        def start(path):
            raise OSError("there is no room")
        memsure.start = start
        """))
    out = suite(tmp_path, """
        @pytest.mark.limit_memory("1 MB")
        def test_over():
            big = bytearray(5 << 20)
        @pytest.mark.no_leak
        @pytest.mark.no_cycles
        def test_other():
            pass
        def test_fixture(memsure):
            pass
        """, status=0)
    assert "2 passed, 1 skipped, 2 warnings" in out
    assert "MemsureWarning: the memory of test_over is not judged: nothing can be recorded: there is no room" in out


@pytest.mark.slow
def test_another_allocator_under_run(tmp_path):
    out = suite(tmp_path, LIMITS, "-k", "test_over", status=0, under=[*MEMSURE, "run", "-q", "-o", "run.memsure"], env={"PYTHONMALLOC": "malloc"})
    assert "1 passed" in out and "another allocator was chosen (PYTHONMALLOC" in out


def test_a_size_that_is_none(tmp_path):
    (tmp_path / "test_it.py").write_text('import pytest\n@pytest.mark.limit_memory("24 apples")\ndef test_it(): pass\n')
    done = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 4 and "error: limit_memory('24 apples')" in done.stderr + done.stdout and "try: " in done.stderr + done.stdout


def test_it_is_light_while_unused(tmp_path):
    out = suite(tmp_path, """
        import sys
        def test_it():
            assert "memsure._core" not in sys.modules and "memsure.text" not in sys.modules
        """, status=0)
    assert outcomes(out) == {"test_it": "PASSED"}


def test_switched_off(tmp_path):
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:memsure", "--memsure"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 4 and "--memsure" in done.stderr


@pytest.mark.parametrize("word, n", [("24 MB", 24 << 20), ("24MiB", 24 << 20), ("1.5 kb", 1536), (512, 512), ("2g", 2 << 30), ("7", 7), ("7 B", 7),
                                     ("", None), ("MB", None), ("-1 MB", None), ("1 MBs", None), (True, None), (None, None)])
def test_sizes(word, n):
    assert plugin.read_size(word) == n


def test_what_grows():
    import random

    chance = random.Random(5)
    line = [0] + [1000 * i for i in range(1, 49)]
    assert plugin.grows(line, 1) and plugin.slope(line) == (1000, 0)
    noisy = [1000 * i + chance.randrange(-20_000, 20_000) for i in range(301)]
    assert plugin.grows(noisy, 100) and abs(plugin.slope(noisy)[0] - 1000) < 3 * plugin.slope(noisy)[1] < 200
    for flat in [[0] * 301, [0] * 150 + [64] * 151, [min(i, 128) for i in range(301)], [-i for i in range(301)]]:
        assert not plugin.grows(flat, 1) and not plugin.may_grow(flat)
    false = sum(plugin.grows([chance.randrange(1000) for _ in range(301)], 20) for _ in range(50))
    assert false == 0
