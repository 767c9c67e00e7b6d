"""memsure.buffers: big buffers that are used again, where making them costs more than using them.

    from memsure import buffers

    with buffers.memory(1 << 20) as view:          # a memoryview of 1 MiB; what it says is left from before
        n = file.readinto(view)
    with buffers.array((1000, 1000)) as a:         # a numpy array of float64
        numpy.multiply(x, y, out=a)
    with buffers.bytes(1 << 20, zero=True) as b:   # a bytearray, filled with zeros
        ...

A fresh buffer above 128 KiB is new pages from the system: it is not the allocation that costs, but touching them. A
used one is warm. All buffers are bytearrays here, held in lists by size class, four to a doubling; a view
or an array is laid on top.

**Never two users.** A buffer is handed out again only when its reference count and its count of exported views say
that nobody can see it. What escapes from its `with` block (an array in a list, a slice of a view, another thread)
stays what it was for as long as it lives, and is used again after that. The end of the block ends a memoryview
(using it raises ValueError); an array or bytearray stays valid until the variable is bound anew,
so a loop takes two of them in turn unless it ends with `del a`.

**Bounded.** At most `limit()` bytes are held, 64 MiB unless set. What was not used for 10 seconds is let go, and everything idle
when memory gets short: a cgroup's limit, or the machine's, is 90 % used. Looked at when a buffer is taken,
at most once a second: no thread, no timer.

**When it does not pay**, it says so: below some size, which pays() measures on this machine, allocating is as cheap as
taking. 1,000 takes of such a size give one DoesNotPay warning. report() has the figures.
"""

import sys
import time
import warnings

from memsure import _pool

__all__ = ["DoesNotPay", "Pool", "array", "bytes", "limit", "memory", "pays", "release", "report", "stats"]

IDLE_SECONDS = 10.0
WARN_AFTER = 1000
LEAST_GAIN = 1.1                    # times: below, it does not pay
_bytearray = bytearray


class DoesNotPay(RuntimeWarning):
    """Buffers of this size cost as much from the pool as new."""


class _Class:
    """The buffers of one size class."""
    __slots__ = ("room", "held", "taken", "fresh", "used", "kinds")

    def __init__(self, room):
        self.room = room
        self.held = []
        self.taken = self.fresh = 0
        self.used = 0.0             # when one was taken last, seconds
        self.kinds = set()


class _Lease:
    """What a `with` block holds: what the block sees of the buffer."""
    __slots__ = ("seen",)

    def __init__(self, seen):
        self.seen = seen

    def __enter__(self):
        return self.seen

    def __exit__(self, *exception):
        seen, self.seen = self.seen, None
        if type(seen) is memoryview:
            try:
                seen.release()
            except BufferError:     # something was laid over it that still lives: later, then
                pass


def room_for(n):
    """The size class of n bytes: 4096, then four to a doubling."""
    if n <= 4096:
        return 4096
    step = 1 << ((n - 1).bit_length() - 3)
    return -(-n // step) * step


class Pool:
    """Buffers of all sizes, with one bound. The functions of this module are those of one that all share."""

    def __init__(self, limit=64 << 20):
        self._limit = limit
        self._classes = {}
        self._held = 0              # bytes
        self._looked = time.monotonic()
        self._pressed = 0

    def memory(self, nbytes, *, zero=False):
        """For a with block: a memoryview of that many bytes, to be filled. The block's end ends it."""
        return _Lease(memoryview(self._take(nbytes, zero, "memory")))

    def bytes(self, nbytes, *, zero=False):
        """For a with block: a bytearray of that many bytes, to be filled."""
        return _Lease(self._take(nbytes, zero, "bytes"))

    def array(self, shape, dtype="f8", *, zero=False):
        """For a with block: a numpy array, C order, to be filled; for out=, mostly."""
        import numpy

        dtype = numpy.dtype(dtype)
        if dtype.hasobject:
            raise TypeError(f"a buffer has no room for objects: dtype {dtype}")
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        n = dtype.itemsize
        for side in shape:
            n *= side
        return _Lease(numpy.ndarray(shape, dtype, self._take(n, zero, "array")))

    def _take(self, n, zero, kind):
        if n < 0:
            raise ValueError(f"a buffer has 0 bytes or more, not {n}")
        room = room_for(n)
        cls = self._classes.get(room) or self._classes.setdefault(room, _Class(room))
        now = time.monotonic()
        if now - self._looked > 1.0:
            self._look(now)
        cls.used = now
        cls.taken += 1
        cls.kinds.add(kind)
        if cls.taken == WARN_AFTER and (gain := pays(room, kind)) < LEAST_GAIN:
            warnings.warn(f"buffers of {room:,} bytes do not pay: a new one takes {gain:.2f} times as long as one from the pool; "
                          "make these, and take bigger ones", DoesNotPay, stacklevel=3)
        buffer = _pool.buffer_take(cls.held, n)
        if buffer is None:
            cls.fresh += 1
            buffer = _pool.buffer_new(room, n)
            if self._held + room > self._limit:
                self._shrink(self._limit - room)
            if self._held + room <= self._limit:
                cls.held.append(buffer)
                self._held += room
        if zero:
            _pool.zero(buffer)
        return buffer

    def limit(self, nbytes=None):
        """Bytes that may be held, in use or idle; with an argument, set it. What is in use is never taken away."""
        if nbytes is not None:
            self._limit = int(nbytes)
            self._shrink(self._limit)
        return self._limit

    def release(self):
        """Let go of everything that nobody uses. Bytes."""
        return self._shrink(-1)

    def _drop(self, cls, most=sys.maxsize):
        n = _pool.buffer_drop(cls.held, most) * cls.room
        self._held -= n
        return n

    def _shrink(self, to):
        """Let go of idle buffers, the longest unused sizes first, until `to` bytes are held or nothing is idle."""
        dropped = 0
        for cls in sorted(self._classes.values(), key=lambda c: c.used):
            while self._held > to and (n := self._drop(cls, 1)):
                dropped += n
        return dropped

    def _look(self, now):
        self._looked = now
        for cls in list(self._classes.values()):
            if cls.held and now - cls.used > IDLE_SECONDS:
                self._drop(cls)
        if self._held and memory_is_short():
            self._pressed += 1
            self.release()

    def stats(self):
        """{size class: what happened to its buffers}."""
        return {c.room: {"taken": c.taken, "reused": c.taken - c.fresh, "held": len(c.held)} for c in self._sorted()}

    def _sorted(self):
        return sorted(self._classes.values(), key=lambda c: c.room)

    def report(self):
        """The figures as text, with what each size gains on this machine."""
        lines = [f"buffers: {self._held / (1 << 20):.1f} MiB held, at most {self._limit / (1 << 20):.0f}"
                 + (f"; let go {self._pressed} times as memory was short" if self._pressed else "")]
        for c in self._sorted():
            for kind in sorted(c.kinds):
                gain = pays(c.room, kind)
                lines.append(f"  {c.room:>12,} bytes  {kind:6}  {c.taken:,} taken, {c.taken - c.fresh:,} of them used before: "
                             + (f"{gain:.1f} times as fast as new ones" if gain >= LEAST_GAIN else f"does not pay ({gain:.2f} times)"))
        return "\n".join(lines)


# ---- is memory short? ----

def _read(path):
    try:
        with open(path) as f:
            return f.read()
    except (OSError, ValueError):
        return ""


def _amounts(text):
    return {line.split()[0].rstrip(":"): int(line.split()[1]) for line in text.splitlines() if len(line.split()) > 1}


def memory_is_short():
    """90 % of a cgroup's limit, or of the machine's memory, are in use (the page cache does not count)."""
    for folder, most, now, cached in _cgroups():
        most, now = _read(f"{folder}/{most}").strip(), _read(f"{folder}/{now}").strip()
        if most.isdigit() and now.isdigit():
            if int(now) - _amounts(_read(f"{folder}/memory.stat")).get(cached, 0) > 0.9 * int(most):
                return True
    machine = _amounts(_read("/proc/meminfo"))
    return machine.get("MemAvailable", 1) < 0.1 * machine.get("MemTotal", 1)


def _cgroups():
    """The folders of this process's cgroups and of those above them, and what the figures are called there, in versions 2 and 1."""
    for line in _read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root, names = "/sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root, names = "/sys/fs/cgroup/memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        folder = root + path.rstrip("/")
        while len(folder) >= len(root):
            yield folder, *names
            folder = folder.rpartition("/")[0]


# ---- does it pay? ----

_gains = {}


def pays(nbytes, kind="memory"):
    """How many times as fast as making and filling a buffer of this size it is to take and fill one.

    Measured on this machine when first asked, by filling with zeros: what the program does with a buffer beyond that
    makes the difference smaller.
    """
    key = room_for(nbytes), kind
    if key not in _gains:
        pool, clock = Pool(limit=4 * key[0]), time.perf_counter
        if kind == "array":
            import numpy
            new, used = lambda: numpy.empty(nbytes, "u1"), lambda: pool.array(nbytes, "u1")
        else:
            new, used = lambda: _bytearray(nbytes), lambda: pool.memory(nbytes)
        best = [float("inf")] * 2
        many = max(1, min(50, (1 << 20) // max(nbytes, 1)))
        for _ in range(9):
            start = clock()
            for _ in range(many):
                _pool.zero(new())
            best[0] = min(best[0], clock() - start)
            start = clock()
            for _ in range(many):
                with used() as buffer:
                    _pool.zero(buffer)
                buffer = None
            best[1] = min(best[1], clock() - start)
        _gains[key] = best[0] / best[1]
    return _gains[key]


def compare(nbytes, filled=True, pooled=False):
    """(ns to make and fill one, ns to fill one that is there), in a loop that goes on and whose variable keeps the last one.

    filled: it is zeros when it is made, as a bytearray is; else what malloc gives. It is read into, from memory. pooled: one from a
    pool, zeroed there, and no more filling. The loops are generators, so that what is timed is never their first buffer, new pages
    from the system, nor the end of their last.
    """
    import io

    from memsure.pools import least

    pool, source = Pool(limit=4 * room_for(nbytes)), io.BytesIO(_bytearray(nbytes))

    def new():
        while n := (yield):
            for _ in range(n):
                buffer = _bytearray(nbytes) if filled else _pool.buffer_new(nbytes, nbytes)
                if not pooled:
                    source.seek(0)
                    source.readinto(buffer)

    def used():
        buffer = _bytearray(nbytes)
        while n := (yield):
            for _ in range(n):
                if pooled:
                    with pool.bytes(nbytes, zero=True) as buffer:
                        pass
                else:
                    source.seek(0)
                    source.readinto(buffer)

    loops = new(), used()
    for loop in loops:
        next(loop)
    return tuple(least([loop.send for loop in loops], max(4, min(200, (4 << 20) // max(nbytes, 1))), 15 if nbytes < 1 << 20 else 6))


_shared = Pool()
memory, bytes, array = _shared.memory, _shared.bytes, _shared.array
limit, release, stats, report = _shared.limit, _shared.release, _shared.stats, _shared.report
