"""Rules about several processes, and about what the system says of one, on recordings that no program made: what is found,
where it is told, and what has to be there for it."""

import json
import re
import subprocess
import sys
import textwrap

import pytest

import synthetic
from conftest import MEMSURE, clean_env
from synthetic import MIB, SECOND
from memsure import recording, report

LATER = synthetic.START + SECOND


def findings(path):
    r = report.Report(recording.load(str(path)))
    return [report.finding_data(r, f) for f in r.judged.findings]


def rules(path):
    return [f["rule"] for f in findings(path)]


def process(folder, number, seconds=2.0, **info):
    """A process of a session; the first one started it."""
    info.setdefault("ppid", 4100 if number == 0 else 4121)
    info.setdefault("started", "fork" if number else "preload")
    return synthetic.Build(cwd=str(folder), argv=["python", "app.py"], seconds=seconds, pid=4121 + number, **info)


def write(folder, builds):
    session = folder / "run.memsure"
    session.mkdir(exist_ok=True)
    for b in builds:
        b.write(session / f"{b.info['pid']}.memsure")
    return session


def forked(folder, private, full=True, made=0, workers=3, inherited=40 * MIB):
    """A parent with 40 MiB, and workers that inherited it and wrote to so much of it."""
    app = synthetic.source(str(folder), "app.py", {3: "MODEL = load()", 7: "def serve():", 8: "    for _ in range(3):", 9: "        pid = os.fork()"})
    out = []
    for number in range(workers + 1):
        b = process(folder, number, **({"slab_private_bytes": private} if number else {}))
        more = dict(inherited_blocks=400_000, inherited_bytes=inherited, freed_blocks=0, freed_bytes=0) if number else dict(allocated_blocks=400_000, allocated_bytes=inherited)
        b.site(app, "<module>", 3, live_blocks=400_000, live_bytes=inherited, **more)
        if made:
            b.site(app, "serve", 8, allocated_blocks=1000, allocated_bytes=made, live_blocks=0, live_bytes=0, peak_blocks=1000, peak_bytes=made)
        if full and number:
            b.collections.append((SECOND, 2, 30_000_000, 0, 0, 0))
        out.append(b)
    return write(folder, out)


def test_copies_after_a_fork(tmp_path):
    (found,) = findings(forked(tmp_path, 30 * MIB))
    assert (found["rule"], found["line"], found["bytes"]) == ("O4", 9, 90 * MIB), found
    assert found["patch"] == [{"line": 3, "sign": "+", "text": "import gc"}, {"line": 8, "sign": "+", "text": "    gc.collect(); gc.freeze()"}]


def test_without_collections_it_was_the_reading(tmp_path):
    (found,) = findings(forked(tmp_path, 30 * MIB, full=False))
    assert (found["rule"], found["line"]) == ("O5", 3), found


@pytest.mark.parametrize("more", (dict(private=6 * MIB), dict(private=30 * MIB, made=24 * MIB), dict(private=30 * MIB, workers=1)))
def test_little_copied_or_made_by_itself_is_nothing(more, tmp_path):
    assert not {"O4", "O5"} & set(rules(forked(tmp_path, **more)))


def test_huge_pages_of_zeros(tmp_path):
    def run(huge, empty):
        b = process(tmp_path, 0, huge_bytes=huge, huge_empty_bytes=empty)
        b.site("/srv/app/app.py", "main", 3, allocated_blocks=10, allocated_bytes=MIB, live_blocks=10, live_bytes=MIB)
        b.sum("end", python_live=MIB, unaccounted=200 * MIB)
        return rules(b.write(tmp_path / "run.memsure"))
    assert run(180 * MIB, 170 * MIB) == ["O6"]
    assert run(180 * MIB, 100 * MIB) == [], "half of it is in use"
    assert run(30 * MIB, 30 * MIB) == [], "little of RSS"


def test_shared_memory_that_is_left(tmp_path):
    app = synthetic.source(str(tmp_path), "app.py", {2: "import x", 5: 'block = SharedMemory("frames", create=True, size=n)'})
    b = process(tmp_path, 0, shm_left_bytes=8 * MIB, shm_left='["frames"]')
    b.site(app, "<module>", 5, allocated_blocks=10, allocated_bytes=MIB, live_blocks=10, live_bytes=MIB)
    (found,) = findings(b.write(tmp_path / "run.memsure"))
    assert (found["rule"], found["line"], found["verdict"]) == ("O7", 5, "leak") and "frames" in found["evidence"]


def arrow(folder, used, other=200 * MIB, most=200 * MIB, seconds=4.0):
    """A program that read into Arrow: what the pool said was in use, by time; `other` of RSS is neither Python's nor malloc's."""
    app = synthetic.source(str(folder), "app.py", {2: "import pyarrow as pa", 4: "def batch():", 5: "    table = pa.table(rows)", 7: "n = batch()"})
    b = process(folder, 0, seconds=seconds, arrow_peak_bytes=most)
    b.site(app, "<module>", 7, allocated_blocks=10, allocated_bytes=MIB, live_blocks=10, live_bytes=MIB)
    b.sum("end", python_live=MIB, unaccounted=other, files=40 * MIB)
    times = b.times(len(used))
    b.samples(times, [MIB] * len(times), used)
    return findings(b.write(folder / "run.memsure"))


def test_what_arrow_keeps(tmp_path):
    (found,) = arrow(tmp_path, [100 * MIB] * 10 + [0] * 10)
    assert (found["rule"], found["line"], found["bytes"], found["verdict"]) == ("P5", 5, 200 * MIB, "allocator")
    assert found["patch"] == [{"line": 8, "sign": "+", "text": "pa.default_memory_pool().release_unused()"}]
    assert found["expected"]["bytes_before"] - found["expected"]["bytes_after"] == 200 * MIB
    (found,) = arrow(tmp_path, [100 * MIB] * 10 + [50 * MIB] * 10)
    assert found["bytes"] == 150 * MIB, "the rest is in use"
    (found,) = arrow(tmp_path, [100 * MIB] * 10 + [0] * 10, other=400 * MIB)
    assert found["bytes"] == 300 * MIB, "more than it can have had is somebody else's"


@pytest.mark.parametrize("used, more", [
    ([190 * MIB] * 19 + [0], {}),                           # dropped at the exit
    ([100 * MIB] * 20, dict(most=130 * MIB, other=120 * MIB)),
    ([None] * 19 + [0], {}),                                # asked too seldom
    ([None] * 20, {}),
    ([0] * 20, dict(most=MIB)),                             # imported, and not used
    ([0] * 20, dict(other=20 * MIB)),
])
def test_what_arrow_has_in_use_is_no_finding(tmp_path, used, more):
    assert not arrow(tmp_path, used, **more)


def test_arrow_is_asked(tmp_path):
    """A module of that name that says what it has, and memory that is neither Python's nor malloc's."""
    (tmp_path / "pyarrow.py").write_text(textwrap.dedent("""
        import functools, mmap

        class Pool:
            kept = used = most = 0
            def bytes_allocated(self): return self.used
            def max_memory(self): return self.most
            def grow(self, n):
                self.kept = mmap.mmap(-1, n, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
                for at in range(0, n, 4096):
                    self.kept[at] = 1
                self.used = self.most = n

        pool = Pool()
        default_memory_pool = functools.partial(getattr, pool, "__self__", pool)
    """))
    app = tmp_path / "app.py"
    app.write_text(textwrap.dedent("""
        import time
        import pyarrow as pa

        def batch():
            pa.pool.grow(64 << 20)
            time.sleep(0.3)
            pa.pool.used = 0 if DROPS else 60 << 20

        batch()
        for _ in range(30):
            time.sleep(0.05)
            [str(i) for i in range(2000)]
    """))
    for drops in ("True", "False"):
        app.write_text(re.sub("DROPS|True", drops, app.read_text()))
        done = subprocess.run([*MEMSURE, "check", "--format", "json", "--", sys.executable, str(app)], capture_output=True, text=True,
                              env=clean_env(), cwd=tmp_path, timeout=120)
        found = json.loads(done.stdout)["findings"]
        assert [(f["rule"], f["line"]) for f in found] == ([("P5", 6)] if drops == "True" else []), done.stdout
        assert all(56 * MIB < f["bytes"] < 68 * MIB for f in found)


def sent(folder, made, tasks=40, each=12 * MIB, loads="pickle.loads(data)"):
    app = synthetic.source(str(folder), "app.py", {4: "def main():", 6: "    pool.map(look_up, [(table, key) for key in range(40)])"})
    queues = synthetic.source(str(folder), "lib/python3.13/multiprocessing/queues.py", {20: "def get():", 21: f"    return {loads}"})
    first = process(folder, 0)
    first.site(app, "main", 6, allocated_blocks=1000, allocated_bytes=made, live_blocks=1000, live_bytes=made)
    out = [first]
    for number in (1, 2):
        b = process(folder, number)
        b.site(queues, "get", 21, allocated_blocks=1000 * tasks, allocated_bytes=each * tasks // 2, live_blocks=0, live_bytes=0, peak_blocks=1000, peak_bytes=each)
        out.append(b)
    return write(folder, out)


@pytest.fixture
def standard(monkeypatch):
    from memsure.source import Sources
    kind = Sources.kind
    monkeypatch.setattr(Sources, "kind", lambda self, file: "std" if "/lib/python3.13/" in file else kind(self, file))


def test_the_same_sent_to_each_worker(tmp_path, standard):
    (found,) = findings(sent(tmp_path, 12 * MIB))
    assert (found["rule"], found["line"], found["bytes"], found["saves_bytes"]) == ("N7", 6, 24 * MIB, 12 * MIB), found


def test_what_was_made_for_each_task_was_not_sent_twice(tmp_path, standard):
    assert "N7" not in rules(sent(tmp_path, 480 * MIB))


def test_what_is_sent_with_each_task_is_told_however_little_is_there_at_once(tmp_path, standard):
    (found,) = findings(sent(tmp_path, 3 * MIB, each=3 * MIB))
    assert (found["rule"], found["line"], found["bytes"]) == ("N7", 6, 6 * MIB), found


def test_little_that_is_sent_once_or_twice_is_not(tmp_path, standard):
    assert "N7" not in rules(sent(tmp_path, 3 * MIB, each=3 * MIB, tasks=10))      # 30 MiB in all


def test_a_line_that_unpickles_nothing(tmp_path, standard):
    assert "N7" not in rules(sent(tmp_path, 12 * MIB, loads="table[data]"))


def renewed(folder, asked="maxtasksperchild=50", gains=(3, 3, 4, 3, 2, 3), gap=0.02):
    app = synthetic.source(str(folder), "app.py", {3: "def handle(key):", 4: "    SEEN[key] = answer(key)", 8: "def main():",
                                                  9: f"    return Pool(1, {asked}).map(handle, range(300))"})
    first = process(folder, 0)
    first.site(app, "main", 9, allocated_blocks=10, allocated_bytes=MIB, live_blocks=10, live_bytes=MIB)
    out, at = [first], LATER
    for number, gain in enumerate(gains, 1):
        b = process(folder, number, seconds=0.5, start_unix_ns=at)
        b.site(app, "handle", 4, allocated_blocks=1000, allocated_bytes=gain * MIB, live_blocks=1000, live_bytes=gain * MIB)
        b.samples(b.times(40), [i * gain * MIB / 40 for i in range(40)])
        at += int((0.5 + gap) * SECOND)
        out.append(b)
    return write(folder, out)


def test_growth_that_recycling_hides(tmp_path):
    found = findings(renewed(tmp_path))[0]
    assert (found["rule"], found["line"]) == ("L9", 4) and "6 workers" in found["evidence"], found


@pytest.mark.parametrize("more", (dict(asked="initializer=load"), dict(asked="maxtasksperchild=None"), dict(gains=(3, 0, 3, 0, 0, 0)),
                                  dict(gains=(3, 3, 3)), dict(gap=5.0)))
def test_processes_that_are_not_renewed_or_do_not_grow(more, tmp_path):
    assert "L9" not in rules(renewed(tmp_path, **more))


def test_young_collections_do_not_answer_for_full_ones(tmp_path):
    """What full collections take is not theirs (Y4), however many die in their middle age."""
    app = synthetic.source(str(tmp_path), "app.py", {5: "    row = Row()"})
    whole = dict(allocated_blocks=10**7, allocated_bytes=64 * 10**7, freed_blocks=10**7, freed_bytes=64 * 10**7)
    b = process(tmp_path, 0, seconds=10.0, **whole)
    b.site(app, "work", 5, peak_blocks=10**7 // 2, peak_bytes=3 * MIB, **whole)
    b.collections += [(int((4 + i * 0.12) * SECOND), 0, 5_000_000, 0, 0, 0) for i in range(40)]
    b.collections += [(int((4.5 + i) * SECOND), 2, 150_000_000, 0, 0, 0) for i in range(5)]
    b.collections.sort()
    b.write(tmp_path / "run.memsure")
    assert rules(tmp_path / "run.memsure") == []


def test_what_is_made_once_is_not_made_anew_each_time(record):
    """Its methods allocate much; so does a loop that reads in pieces."""
    rec = record("""
        import io
        import random
        def dice(n):
            rng = random.Random(3)
            return sum(rng.choice("abcdef") == "a" for _ in range(n))
        def digest(data):
            size = 0
            file = io.BytesIO(data)
            while part := file.read(1 << 16):
                size += len(part)
            return size
        dice(250_000)
        data = bytes(1 << 20)
        for _ in range(600):
            digest(data)
    """)
    assert not {"P4", "N8"} & set(rules(rec.path))


def test_a_table_that_was_emptied_after_the_peak(record):
    """The fullest picture has it full; the last one does not."""
    rec = record("""
        waiting = {}
        for player in range(400_000):
            waiting[player] = str(player)
        while len(waiting) > 1000:
            waiting.popitem()
    """)
    found = findings(rec.path)[0]
    assert (found["rule"], found["culprit"]) == ("S2", "__main__.waiting"), found
