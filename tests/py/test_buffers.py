"""memsure.buffers: no buffer has two users, what is held is bounded, and what does not pay is said."""

import gc
import random
import threading
import warnings

import pytest

from memsure import buffers

numpy = None
try:
    import numpy
except ImportError:
    pass
needs_numpy = pytest.mark.skipif(numpy is None, reason="numpy is not installed")


@pytest.fixture
def pool():
    return buffers.Pool(limit=32 << 20)


def held(pool):
    return sum(s["held"] * room for room, s in pool.stats().items())


@pytest.mark.parametrize("n", [0, 1, 4095, 4096, 4097, 5000, 1 << 16, (1 << 20) + 1, (1 << 20) - 1])
def test_length_and_zeros(pool, n):
    for _ in range(3):
        with pool.memory(n) as view:
            assert len(view) == n and not view.readonly and view.format == "B"
            view[:] = b"\xff" * n
        with pool.memory(n, zero=True) as view:
            assert bytes(view) == bytes(n)
            view[:] = b"\xff" * n
        with pool.bytes(n, zero=True) as b:
            assert type(b) is bytearray and b == bytes(n)
            b[:] = b"\xff" * n
            del b


def test_classes():
    for n in [*range(0, 70_000, 7), *(1 << k for k in range(40)), *((1 << k) + 1 for k in range(40))]:
        room = buffers.room_for(n)
        assert n <= room and buffers.room_for(room) == room
        assert room == 4096 or room <= n * 1.25 + 1, n


def test_a_view_ends_with_its_block(pool):
    with pool.memory(10_000) as view:
        first = view.obj
        part = view[5:10]
        view[5] = 7
    with pytest.raises(ValueError):
        view[0]
    assert part[0] == 7             # it was cut out of it, and lives: so the buffer is not used again
    with pool.memory(10_000) as view:
        assert view.obj is not first
    part.release()
    one = id(first)
    del first
    with pool.memory(10_000) as a, pool.memory(10_000) as b:
        assert one in (id(a.obj), id(b.obj))
    assert pool.stats()[buffers.room_for(10_000)] == {"taken": 4, "reused": 2, "held": 2}


def test_nested_and_exceptions(pool):
    with pytest.raises(KeyError):
        with pool.memory(5000) as a, pool.memory(5000) as b:
            a[0], b[0] = 1, 2
            assert a[0] == 1
            raise KeyError
    with pool.memory(5000):
        pass
    assert pool.stats()[buffers.room_for(5000)] == {"taken": 3, "reused": 1, "held": 2}
    with pytest.raises(ValueError):
        pool.memory(-1)


def test_a_bytearray_may_do_what_bytearrays_do(pool):
    for i in range(20):
        with pool.bytes(8000) as b:
            b[:] = b"x" * 8000
            b += b"y" * (i * 1000)
            if i % 3 == 0:
                b.clear()
            if i % 3 == 1:
                del b[:100]
        assert len(b) in (0, 7900 + i * 1000, 8000 + i * 1000)
    kept = []
    for i in range(5):
        with pool.bytes(8000) as b:
            b[0] = i
            kept.append(b)
    assert [k[0] for k in kept] == list(range(5)) and len({id(k) for k in kept}) == 5


@needs_numpy
def test_arrays(pool):
    for i in range(10):
        with pool.array((30, 40)) as a:
            assert a.shape == (30, 40) and a.dtype == "f8" and a.flags.c_contiguous and a.flags.writeable
            numpy.multiply(numpy.ones((30, 40)), i, out=a)
            assert a.sum() == i * 1200
    assert pool.stats()[buffers.room_for(9600)]["reused"] == 8          # two in turn: the variable holds the last one
    with pool.array(7, "i4", zero=True) as a:
        assert a.tolist() == [0] * 7
    with pytest.raises(TypeError):
        pool.array(3, object)


@needs_numpy
def test_arrays_that_escape(pool):
    kept, views = [], []
    for i in range(6):
        with pool.array(2000) as a:
            a[:] = i
            kept.append(a) if i % 2 else views.append(memoryview(a[10:20][2:]))
    a = None
    for _ in range(6):
        with pool.array(2000) as a:
            a[:] = -1
    assert [k[0] for k in kept] == [1, 3, 5] and [v[0] for v in views] == [0, 2, 4]


def test_never_two_users():
    """Random takes that keep some of what they get, against what was written there."""
    for seed in range(20):
        r = random.Random(seed)
        pool = buffers.Pool(limit=r.choice([0, 20_000, 1 << 20]))
        alive = []
        for i in range(300):
            n = r.choice([10, 4096, 5000, 5001, 30_000])
            mark = i % 251
            kind = r.choice(["memory", "bytes"] + (["array"] if numpy else []))
            with (pool.array(n, "u1") if kind == "array" else getattr(pool, kind)(n)) as b:
                b[0] = b[n - 1] = mark
                assert all(x[0] == m for x, m, _ in alive)
                if r.random() < 0.3:
                    alive.append((b[: n // 2 + 1] if r.random() < 0.5 and kind != "bytes" else memoryview(b) if kind != "memory" else b[:], mark, n))
            b = None
            if r.random() < 0.25 and alive:
                del alive[r.randrange(len(alive))]
            if r.random() < 0.02:
                pool.release()
        assert all(x[0] == m for x, m, _ in alive)
        del alive[:]
        gc.collect()
        pool.release()
        assert held(pool) == 0 == pool._held


@pytest.mark.filterwarnings("ignore::memsure.buffers.DoesNotPay")
def test_threads(pool):
    wrong = []

    def work(mark):
        for _ in range(400):
            with pool.memory(20_000) as view:
                view[:] = bytes([mark]) * 20_000
                if view[0] != mark or view[19_999] != mark:
                    wrong.append(mark)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong and pool.stats()[buffers.room_for(20_000)]["held"] <= 6


def test_bounded(pool):
    pool.limit(1 << 20)
    for n in range(10_000, 500_000, 9_000):
        with pool.memory(n):
            assert held(pool) <= 1 << 20
    with pool.memory(2 << 20):
        assert (2 << 20) not in [room for room, s in pool.stats().items() if s["held"]]
    pool.limit(100_000)
    assert held(pool) <= 100_000
    with pool.memory(50_000):
        assert pool.release() == 0 and held(pool) > 0     # in use
    before = held(pool)
    assert pool.release() == before > 0 == held(pool)


def test_given_back_when_idle_and_under_pressure(pool, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(buffers.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(buffers, "memory_is_short", lambda: False)
    pool._looked = now[0]
    with pool.memory(100_000):
        pass
    now[0] += 5
    with pool.memory(200_000):
        assert held(pool) > 290_000
    now[0] += 8
    with pool.memory(200_000):
        assert held(pool) < 290_000             # the first has not been asked for since 13 s
    monkeypatch.setattr(buffers, "memory_is_short", lambda: True)
    now[0] += 2
    with pool.memory(10_000):
        assert held(pool) < 20_000
    assert "memory was short" in pool.report()


def test_memory_is_short(monkeypatch):
    files = {"/proc/self/cgroup": "0::/a/b\n", "/proc/meminfo": "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 500 kB\n"}
    monkeypatch.setattr(buffers, "_read", lambda path: files.get(path, ""))
    assert not buffers.memory_is_short()
    files["/sys/fs/cgroup/a/memory.max"], files["/sys/fs/cgroup/a/memory.current"] = "max\n", "950\n"
    assert not buffers.memory_is_short()
    files["/sys/fs/cgroup/a/memory.max"] = "1000\n"
    assert buffers.memory_is_short()
    files["/sys/fs/cgroup/a/memory.stat"] = "anon 1\ninactive_file 300\n"
    assert not buffers.memory_is_short()
    # The same in version 1, beside others: the limit may be that of a group around it.
    files["/proc/self/cgroup"] = "7:cpu,cpuacct:/job\n4:memory:/a/b\n1:name=systemd:/x\n0::/\n"
    group = "/sys/fs/cgroup/memory/a"
    files[f"{group}/memory.limit_in_bytes"], files[f"{group}/memory.usage_in_bytes"] = "9223372036854771712\n", "950\n"
    assert not buffers.memory_is_short()
    files[f"{group}/memory.limit_in_bytes"] = "1000\n"
    assert buffers.memory_is_short()
    files[f"{group}/memory.stat"] = "inactive_file 0\ntotal_inactive_file 300\n"
    assert not buffers.memory_is_short()
    files["/sys/fs/cgroup/memory/memory.limit_in_bytes"], files["/sys/fs/cgroup/memory/memory.usage_in_bytes"] = "2000\n", "1900\n"
    assert buffers.memory_is_short()
    files["/sys/fs/cgroup/memory/memory.usage_in_bytes"] = "1700\n"
    assert not buffers.memory_is_short()
    files["/proc/meminfo"] = "MemTotal: 1000 kB\nMemAvailable: 50 kB\n"
    assert buffers.memory_is_short()
    files.clear()
    assert not buffers.memory_is_short()


def test_says_when_it_does_not_pay(pool, monkeypatch):
    monkeypatch.setattr(buffers, "_gains", {(4096, "memory"): 0.4, (1 << 20, "memory"): 9.0})
    with pytest.warns(buffers.DoesNotPay, match="4,096 bytes do not pay") as caught:
        for _ in range(buffers.WARN_AFTER + 5):
            with pool.memory(100):
                pass
    assert len(caught) == 1 and caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(buffers.WARN_AFTER + 5):
            with pool.memory(1 << 20):
                pass
    report = pool.report()
    assert "does not pay (0.40 times)" in report and "9.0 times as fast as new ones" in report


def test_pays_measures():
    assert buffers.pays(64) == buffers.pays(4096) > 0 and buffers.pays(8 << 20) > 0


def test_shared_pool():
    with buffers.memory(10_000, zero=True) as view:
        assert not any(view)
    assert buffers.limit() == 64 << 20 and buffers.stats() and buffers.report().startswith("buffers:")
    assert buffers.release() > 0
