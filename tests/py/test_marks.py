"""A process that records itself several times, and reads exact figures of a stretch of its run: memsure.mark()."""

import json
import sys

import pytest
from conftest import MEMSURE, Process, check_sums, dedent, run

HEAD = """
import ctypes, gc, json, os, sys, memsure
from memsure import _core

def sound():
    home = os.path.dirname(_core.__file__)
    found = [p for p in (home + "/memsure_record.so", home + "/../record/memsure_record.so") if os.path.exists(p)]
    check = ctypes.CDLL(found[0]).ms_recorder_check
    check.restype = ctypes.c_char_p
    return check()

def make(n):
    return [object() for _ in range(n)]
"""


def program(tmp_path, source, *args, under=()):
    file = tmp_path / "app.py"
    file.write_text(HEAD + dedent(source))
    done = run([*under, *([] if under else [sys.executable]), str(file), *map(str, args)], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def under_run(tmp_path):
    return [*MEMSURE, "run", "-q", "-o", str(tmp_path / "run.memsure")]


AGAIN = """
    kept, checks = [], []
    for i in range(5):
        memsure.start(f"{sys.argv[1]}/{i}.memsure", exact=i in (2, 3))
        kept.append(make(3000))
        big = bytearray(1 << 20)
        late = make(1000)
        del late
        if i > 1:
            del kept[0]                     # of an earlier recording
        gc.collect()
        checks.append(sound())
        memsure.stop()
        kept.append(make(500))              # in no recording
        del big
    print(json.dumps([checks, len(kept)]))
"""


def test_a_process_is_recorded_again(tmp_path):
    checks, kept = program(tmp_path, AGAIN, tmp_path)
    assert checks == [None] * 5 and kept == 7
    for i in range(5):
        p = Process(tmp_path / f"{i}.memsure")
        check_sums(p)
        assert p.info["mode"] == ("exact" if i in (2, 3) else "line") and p.info["started"] == "late"
        here = [s for s in p.sites if s["function"].startswith("make")]
        assert sum(s["live_blocks"] for s in here) in range(3000, 3004)
        assert sum(s["inherited_blocks"] for s in here) == 0
        assert sum(s["allocated_blocks"] for s in here) in range(4000, 4000 + 4000 + 100)     # and the ints of range()
        earlier = [s for s in p.sites if s["function"] == "(before this recording)"]
        if i == 0:
            assert not earlier
            continue
        (earlier,) = earlier
        assert earlier["allocated_blocks"] == 0 and earlier["inherited_blocks"] - (0, 3500, 7000, 7500, 10_500)[i] in range(1, 1500)
        if i > 1:
            assert earlier["freed_blocks"] >= 500                    # what was dropped of theirs is known to be theirs


def test_a_recording_under_memsure_run_is_not_begun_again(tmp_path):
    said = program(tmp_path, """
        try:
            memsure.start("other.memsure")
        except _core.Error as e:
            print(json.dumps(str(e)))
        """, under=under_run(tmp_path))
    assert "recorded already" in said and not (tmp_path / "other.memsure").exists()


PLANTED = """
    late = len(sys.argv) > 1
    m = none = x = y = two = inner = z = w = high = outer = third = after = lines = show = result = None    # the dict has room
    if late:
        memsure.start(sys.argv[1])
    make(1), memsure.mark().since(), memsure.mark().lines()         # whatever happens once
    m = memsure.mark()
    none = m.since()
    x = [None] * 1000                                               # LIST
    y = [object() for _ in range(200)]
    two = m.since()
    del x
    inner = memsure.mark()
    z = bytearray(3_000_000)                                        # BIG
    del z
    w = bytearray(1_000_000)
    high = inner.since()
    outer = m.since()
    third = memsure.mark()
    after = inner.since(), m.since(), third.since()
    lines = [[x.line, x.live_blocks, x.live_bytes, x.allocated_blocks, x.allocated_bytes] for x in m.lines() if x.file == __file__]
    show = lambda s: {n: getattr(s, n) for n in s.FIGURES}
    result = [*map(show, (none, two, high, outer, *after)), lines, sound()]
    if late:
        memsure.stop()
    print(json.dumps(result))
"""


@pytest.mark.parametrize("how", ["start", "run"])
def test_since_a_mark(tmp_path, how):
    args, under = ([tmp_path / "run.memsure"], ()) if how == "start" else ([], under_run(tmp_path))
    none, two, high, outer, high_again, outer_again, third, lines, sound = program(tmp_path, PLANTED, *args, under=under)
    assert sound is None
    assert none["allocated_blocks"] == none["live_blocks"] == none["live_bytes"] == 0
    # the list and its 1000 items, 200 objects with their list and its items
    assert two["live_blocks"] in range(204, 208)
    assert two["live_bytes"] in range(8000 + 200 * 24, 8000 + 200 * 24 + 3500)
    assert two["allocated_blocks"] >= two["live_blocks"] and two["peak_bytes"] >= two["live_bytes"]
    assert two["live_bytes_now"] - none["live_bytes_now"] >= two["live_bytes"]
    assert high["peak_bytes"] in range(3_000_000, 3_010_000)
    assert high["live_bytes"] in range(1_000_000, 1_010_000) and high["allocated_bytes"] in range(4_000_000, 4_010_000)
    # the outer mark saw the same peak, over what was live when it was made; a mark made later does not lower it
    assert outer["peak_bytes"] - high["peak_bytes"] in range(200 * 24, 200 * 24 + 5000)
    assert high_again["peak_bytes"] == high["peak_bytes"] and outer_again["peak_bytes"] == outer["peak_bytes"]
    assert third["peak_bytes"] < 10_000
    source = (tmp_path / "app.py").read_text().splitlines()
    at = {i: line for i, line in enumerate(source, 1)}
    (big,) = [x for x in lines if "BIG" in at[x[0]]]
    assert big[1:3] == [0, 0] and big[3] in (2, 3) and big[4] - 3_000_000 in range(1, 200)    # perhaps a tuple of arguments
    (gone,) = [x for x in lines if "LIST" in at[x[0]]]
    assert gone[1:3] == [0, 0] and gone[3] in (2, 4) and gone[4] in range(8000, 8400)
    assert lines[0][2] >= 1_000_000 and "bytearray(1_000_000)" in at[lines[0][0]]


def test_the_recording_keeps_its_peak(tmp_path):
    """Marks look at later, lower peaks: the recording's is the highest of all, line by line."""
    program(tmp_path, """
        memsure.start(sys.argv[1])
        high = bytearray(9_000_000)                                 # HIGH
        del high
        for i in range(10):
            m = memsure.mark()
            x = bytearray(1_000_000 + i)
            assert m.since().peak_bytes > 999_000                   # the mark before this one is gone meanwhile
            del x
        memsure.stop()
        print(json.dumps(sound()))
        """, tmp_path / "r.memsure")
    p = Process(tmp_path / "r.memsure")
    check_sums(p)
    line = 1 + next(i for i, text in enumerate((tmp_path / "app.py").read_text().splitlines()) if "HIGH" in text)
    assert 9_000_000 < p.number("peak_bytes") < 11_000_000
    assert p.line(tmp_path / "app.py", line).peak_bytes > 9_000_000


def test_what_marks_say_where_nothing_is_recorded(tmp_path):
    said = program(tmp_path, """
        out = []
        try:
            memsure.mark()
        except _core.Error as e:
            out.append(str(e))
        memsure.start(sys.argv[1])
        m = memsure.mark()
        memsure.stop()
        for again in False, True:
            if again:
                memsure.start(sys.argv[1] + "2")
            try:
                m.since()
            except _core.Error as e:
                out.append(str(e))
        del m
        new = memsure.mark()
        pid = os.fork()
        if pid == 0:                                               # the counters of a child are its own
            try:
                new.since()
            except _core.Error:
                os._exit(7)
            os._exit(1)
        out.append(os.waitpid(pid, 0)[1] >> 8)
        memsure.stop()
        print(json.dumps(out))
        """, tmp_path / "r.memsure")
    assert "not recorded" in said[0] and "has ended" in said[1] and "has ended" in said[2] and said[3] == 7


def test_a_mark_in_threads(tmp_path):
    """Marks of several threads at once: each sees at least what it allocated itself."""
    said = program(tmp_path, """
        import threading
        memsure.start(sys.argv[1])
        results, gate = [], threading.Barrier(4)
        def work(n):
            gate.wait()
            for _ in range(50):
                m = memsure.mark()
                mine = bytearray(n)
                s = m.since()
                results.append(s.allocated_bytes >= n and s.allocated_blocks >= 2)
        threads = [threading.Thread(target=work, args=(100_000 * k,)) for k in (1, 2, 3, 4)]
        [t.start() for t in threads]; [t.join() for t in threads]
        memsure.stop()
        print(json.dumps([len(results), all(results), sound()]))
        """, tmp_path / "r.memsure")
    assert said == [200, True, None]


def test_lines_at_the_peak_and_in_collections(tmp_path):
    """A line's part of the peak since a mark, exactly; None where a later mark hides it; what the collector freed."""
    said = program(tmp_path, """
        memsure.start(sys.argv[1])
        x = y = late = z = None                             # the module's dict grows before
        class Node: pass
        def circles(n):
            for _ in range(n):
                a = Node(); a.me = a                                # CIRCLE
        gc.collect(); gc.disable()
        first = memsure.mark()
        m = memsure.mark()
        x = bytearray(2_000_000)                                    # HIGH
        y = [object() for _ in range(1000)]                         # SMALL
        del x
        late = bytearray(1_000_000)                                 # LATE
        circles(50)
        gc.collect()
        def show(mark):
            out = {}
            for l in mark.lines():
                if l.file == __file__:
                    known = out.get(l.line, [0, 0, 0])              # 3.11 has a function in the line of SMALL
                    out[l.line] = [a + b for a, b in zip(known, [l.peak_bytes, l.collected_blocks, l.collected_bytes])]
            return out
        at, peak = show(m), m.since().peak_bytes
        total = sum(l.peak_bytes for l in m.lines())
        inner = memsure.mark()
        z = bytearray(500_000); del z
        again = show(m)                                             # the highest so far: still known
        low = memsure.mark()
        z = bytearray(400_000); del z
        memsure.mark()
        hidden = low.lines()[0].peak_bytes
        memsure.stop()
        print(json.dumps([at, again, peak, total, hidden, sound()]))
        """, tmp_path / "r.memsure")
    at, again, peak, total, hidden, sound = said
    line = {text.split("#")[1].strip(): str(i) for i, text in enumerate((tmp_path / "app.py").read_text().splitlines(), 1) if "# " in text}
    assert sound is None and hidden is None
    assert at[line["HIGH"]][0] - 2_000_000 in range(1, 200) and at[line["SMALL"]][0] in range(32_000, 42_000) and at[line["LATE"]][0] <= 0
    assert {n: x[0] for n, x in at.items() if x[0]} == {n: again[n][0] for n, x in at.items() if x[0]}
    assert abs(total - peak) < 2_000                                # what memsure made is in no line
    assert at[line["CIRCLE"]][1] >= 50 and at[line["CIRCLE"]][2] >= 50 * 40 and at[line["HIGH"]][1:] == [0, 0]
