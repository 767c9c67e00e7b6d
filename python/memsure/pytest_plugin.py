"""Memory in tests: limit_memory, no_leak, no_cycles, the fixture `memsure`, and --memsure. See docs/PYTEST.md.

Loaded by pytest itself (entry point pytest11). While no test asks for it, nothing is recorded and nothing more is
imported; then recording begins in this process, or goes on where `memsure run` already records it. With xdist each
worker does so for itself, and its figures travel with the reports.

limit_memory looks at the call that pytest makes anyway. no_leak and no_cycles need several: the whole protocol,
set-up and tear-down of function-scoped fixtures included, is run without a report until they have decided; then
comes the run that is reported, and what they found fails it. Fixtures of a wider scope stay.

Where nothing can be recorded a marked test runs as if it had no mark, with a warning (MemsureWarning).

PYTEST_DONT_REWRITE: there is no assertion here to be shown.
"""

import os

import pytest

MARKS = ("limit_memory", "no_leak", "no_cycles")
STATE = pytest.StashKey()
FOUND = pytest.StashKey()  # what no_leak and no_cycles say about a test
BEGUN = pytest.StashKey()  # its mark, for --memsure
SHOWN = 10  # tests in the summary
NAMED = 3  # lines in a message


class MemsureWarning(pytest.PytestWarning):
    """A marked test ran, but its memory could not be looked at."""


MemsureWarning.__module__ = "memsure.pytest_plugin"


def pytest_addoption(parser):
    group = parser.getgroup("memsure")
    group.addoption("--memsure", action="store_true", help="at the end, list the tests by the Python memory that they take and keep")


def pytest_configure(config):
    config.addinivalue_line("markers", "limit_memory(size): fail if the test's peak of Python memory is more, as in '24 MB' (memsure)")
    config.addinivalue_line("markers", "no_leak: fail if the test, repeated, keeps more memory with each call (memsure)")
    config.addinivalue_line("markers", "no_cycles: fail if the test leaves objects that only the collector can free (memsure)")
    config.stash[STATE] = State(config)


def pytest_unconfigure(config):
    state = config.stash.get(STATE, None)
    if state is not None:
        state.end()


def pytest_collection_modifyitems(items):
    for item in items:
        for mark in item.iter_markers("limit_memory"):
            if len(mark.args) != 1 or mark.kwargs or read_size(mark.args[0]) is None:
                said = ", ".join([*map(repr, mark.args), *(f"{k}={v!r}" for k, v in mark.kwargs.items())])
                raise pytest.UsageError(f'error: limit_memory({said}) of {item.nodeid} is not a size\n  try: @pytest.mark.limit_memory("24 MB")')


def read_size(word):
    """Bytes of '24 MB', '24 MiB', '1.5GB', '512' or a number; units are powers of 1024. None: not a size."""
    import re

    if isinstance(word, bool):
        return None
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]*)?)\s*(?:([kmgt]?)i?b?)\s*", str(word), re.I)
    if found is None:
        return None
    return int(float(found[1]) * 1024 ** " kmgt".index(found[2].lower() or " "))


class State:
    """Of a test session in this process: what is recorded, and the figures of its tests."""

    def __init__(self, config):
        self.summary = config.getoption("--memsure")
        self.repeating = False
        self.folder = None  # of the recording, if it was begun here
        self.pid = None
        self.rows = []  # {test, peak, retained, allocated, ...}
        self.unseen = None

    def begin(self):
        """Record, if nothing does yet -> None, or why that cannot be."""
        import memsure

        try:
            from memsure import _core
        except ImportError as e:
            return f"memsure's C part cannot be loaded here: {e}"
        try:
            _core.mark()
        except _core.Error:
            if self.unseen:
                return self.unseen  # tried before
            self.end()
            import tempfile

            self.folder, self.pid = tempfile.mkdtemp(prefix="memsure-"), os.getpid()
            try:
                memsure.start(os.path.join(self.folder, "pytest.memsure"))
            except (_core.Error, OSError) as e:
                self._remove()
                self.unseen = f"nothing can be recorded: {e}"
                return self.unseen
        if self.unseen is None:
            mark = memsure.mark()
            probe = [bytearray(1000) for _ in range(8)]
            blocks = mark.since().allocated_blocks
            del probe
            self.unseen = "" if blocks >= 16 else "Python's memory is not seen: another allocator was chosen (PYTHONMALLOC or -X dev)"
        return self.unseen or None

    def end(self):
        if self.folder is None or self.pid != os.getpid():
            return
        import memsure

        try:
            memsure.stop()
        except Exception:  # a test has ended it
            pass
        self._remove()

    def _remove(self):
        import shutil

        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder = None


# -- the lines ------------------------------------------------------------------------------------


def is_tool(file):
    """Whether a file belongs to what runs the tests, and not to what they test."""
    import re
    import sys

    global _tool
    if _tool is None:
        home = re.escape(os.path.dirname(os.path.abspath(__file__)) + os.sep)
        # 3.12 keeps every interned text for ever, and pathlib interns the parts of each path: tmp_path's are new each time.
        interned = "|pathlib" if sys.version_info[:2] == (3, 12) else ""
        _tool = re.compile(rf"^$|^\(|^<frozen|^{home}|[/\\](?:_pytest|pytest|pluggy|xdist|execnet|coverage|pytest_\w+)[/\\][^/\\]|"
                           rf"[/\\](?:linecache|tracemalloc|warnings{interned})\.py$")
    return _tool.search(file) is not None


_tool = None


class Lines:
    """Places and their source text, as the report writes them."""

    def __init__(self, folder):
        from .source import Sources

        self.sources = Sources(str(folder))

    def say(self, amounts):
        """[(amount, file, line, function)] -> indented lines of text."""
        from .text import cells

        width = max((cells(a) for a, *_ in amounts), default=0)
        out = []
        for amount, file, line, function in amounts:
            text = (self.sources.line(file, line) or "").strip()
            name = function.rpartition(".<locals>.")[2]
            out.append(f"  {' ' * (width - cells(amount))}{amount}  {self.sources.place(file, line)} in {name}" + (f"   {text[:100]}" if text else ""))
        return out


def finish(lines):
    return "\n".join(lines).replace("\u00a0", " ")


# -- a limit ----------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item):
    state = item.config.stash[STATE]
    if state.repeating or not any(item.get_closest_marker(name) for name in MARKS):
        return (yield)
    why_not = state.begin()
    limit = item.get_closest_marker("limit_memory")
    mark = None
    if why_not is None and limit is not None:
        import memsure

        mark = memsure.mark()
    result = yield  # a test that fails, fails as ever
    message = None
    if mark is not None:
        message, why_not = over_limit(item, mark, read_size(limit.args[0]))
    if why_not is not None:
        item.warn(MemsureWarning(f"the memory of {item.name} is not judged: {why_not}"))
    said = ([message] if message else []) + item.stash.get(FOUND, [])
    if said:
        pytest.fail("\n".join(said), pytrace=False)
    return result


def over_limit(item, mark, limit):
    """-> (message or None, why it cannot be told or None)"""
    from . import _core

    try:
        since = mark.since()
        if since.peak_bytes <= limit:
            return None, None
        lines = mark.lines()
    except _core.Error as e:
        return None, str(e)
    from .text import size

    if any(x.peak_bytes is not None for x in lines):
        at, of = "peak_bytes", "held at the peak"
    else:
        at, of = "allocated_bytes", "allocated"  # marks that the test made hide the peak's lines
    lines = [x for x in lines if x.file and not is_tool(x.file)] or [x for x in lines if x.file]
    lines = sorted(lines, key=lambda x: -getattr(x, at))[:NAMED]
    amounts = [(size(getattr(x, at)), x.file, x.line, x.function) for x in lines if getattr(x, at) > 0]
    head = f"limit_memory: the peak is {size(since.peak_bytes)}, the limit {size(limit)}; {of}:"
    return finish([head, *Lines(item.config.rootpath).say(amounts)]), None


# -- repeated ---------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Decide first; then None lets pytest do the run that is reported."""
    leak, cycles = item.get_closest_marker("no_leak"), item.get_closest_marker("no_cycles")
    option = item.config.getoption
    if not (leak or cycles) or option("setuponly", False) or option("setupplan", False) or item.session.shouldstop:
        return None
    state = item.config.stash[STATE]
    item.stash[FOUND] = found = []
    if state.begin() is None:  # why not is said when the test is called
        from . import _core

        state.repeating = True
        try:
            for look in ([find_cycles] if cycles else []) + ([find_leak] if leak else []):
                message = look(item)
                if message:
                    found.append(message)
        except _core.Error:  # the recording was ended, or this is another process than the mark's
            pass
        finally:
            state.repeating = False
    return None


def once(item):
    """The whole protocol without a report -> whether the test passed. Fixtures of a wider scope stay."""
    import warnings

    from _pytest.runner import runtestprotocol

    sections, properties = len(item._report_sections), len(item.user_properties)
    with warnings.catch_warnings(record=True):  # recorded when the run that counts gives them
        reports = runtestprotocol(item, log=False, nextitem=item.parent)
    del item._report_sections[sections:], item.user_properties[properties:]
    if isinstance(item, pytest.Function) and getattr(item, "_instance", None) is not None:
        item._obj = None  # the next run has an instance of its own
        del item._instance
    return all(r.passed or r.when == "call" and str(r.longrepr).startswith("[XPASS(strict)") for r in reports)


WARM_UP = 3
LOOKS = (12, 24, 48, 96, 192, 300)  # after so many runs it is asked whether one knows
ENOUGH_S = 20  # a growth is followed so long, or to the last look: a cache may fill up


def find_leak(item):
    """Repeat the test until each line's memory is flat, levels off, or surely grows -> message or None."""
    import gc
    import time

    import memsure

    for _ in range(WARM_UP):
        if not once(item):
            return None
    frozen = gc.get_freeze_count()
    settle()
    if not frozen:
        gc.freeze()  # what lives by now need not be walked each time
    try:
        mark = memsure.mark()
        series = {}  # (file, line, function): live bytes after each run
        begun, n = time.monotonic(), 0
        while True:
            if not once(item):
                return None
            settle()
            n += 1
            for x in mark.lines():
                key = x.file, x.line, x.function
                known = series.get(key)
                if known is None:
                    if is_tool(x.file):
                        continue
                    known = series[key] = [0]
                known += [known[-1]] * (n - len(known))
                known.append(x.live_bytes)
            for known in series.values():
                known += [0] * (n + 1 - len(known))  # it is as at the mark again
            if n not in LOOKS and (n < LOOKS[1] or time.monotonic() - begun < ENOUGH_S):
                continue
            if not any(may_grow(v) for v in series.values()):
                return None
            if n >= LOOKS[-1] or n >= LOOKS[1] and time.monotonic() - begun >= ENOUGH_S:
                break
        moved = sum(1 for v in series.values() if any(v))
        growing = [(*slope(v), key) for key, v in series.items() if grows(v, moved)]
        growing.sort(key=lambda g: (-g[0], g[2]))
    finally:
        if not frozen:
            gc.unfreeze()
    return leak_message(item, growing, n) if growing else None


def settle():
    """Let go what waits: garbage, and names in the cache of attribute lookups, which has room for thousands."""
    import gc
    import sys

    getattr(sys, "_clear_internal_caches", getattr(sys, "_clear_type_cache", gc.collect))()
    gc.collect()


def trend(values):
    """The Mann-Kendall statistic of a series -> (z, its standard error before division)."""
    n, s, ties = len(values), 0, {}
    for i, a in enumerate(values):
        ties[a] = ties.get(a, 0) + 1
        for b in values[i + 1:]:
            s += (b > a) - (b < a)
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties.values())) / 18
    if variance <= 0:
        return 0.0, 0.0
    sigma = variance**0.5
    return (s - 1) / sigma if s > 0 else 0.0, sigma


def thirds(values):
    """The growth in each third of a series."""
    at = [round(i * (len(values) - 1) / 3) for i in range(4)]
    return [values[at[i + 1]] - values[at[i]] for i in range(3)]


def may_grow(values):
    """Whether more runs may show that a line grows: it went up, and has not levelled off."""
    if values[-1] <= values[0]:
        return False
    if len(values) - 1 <= LOOKS[0]:
        return True
    return thirds(values)[2] > 0 and trend(values)[0] > 1.64


def grows(values, moved):
    """Whether it surely does: a trend that chance makes in one suite of 10,000 tests of so many lines, in every third."""
    from statistics import NormalDist

    level = NormalDist().inv_cdf(1 - 1e-4 / len(LOOKS) / max(1, moved))
    return min(thirds(values)) > 0 and trend(values)[0] > min(level, highest(len(values)))


def highest(n):
    """What z a series that never falls would have: a short one cannot have more."""
    return trend(range(n))[0] * 0.999


def slope(values):
    """Bytes a run: the median of the slopes between any two (Theil and Sen), and half its 95 % interval."""
    n = len(values)
    slopes = sorted((values[j] - values[i]) / (j - i) for i in range(n) for j in range(i + 1, n))
    reach = 1.96 * trend(values)[1]
    last = len(slopes) - 1
    low = slopes[max(0, round((last - reach) / 2))]
    high = slopes[min(last, round((last + reach) / 2))]
    return slopes[last // 2] or (values[-1] - values[0]) / (n - 1), (high - low) / 2


def leak_message(item, growing, n):
    from .text import change, count, with_error

    def rate(value, error):
        return change(round(value) or 1) if error < max(1, value / 1000) else with_error(value, error)

    total = sum(g[0] for g in growing)
    head = f"no_leak: {change(round(total) or 1)} with each call, in {count(n)} calls without a plateau"
    shown = growing[:NAMED]
    out = [head, *Lines(item.config.rootpath).say([(f"{rate(v, e)} per call", *key) for v, e, key in shown])]
    if len(growing) > NAMED:
        out.append(f"  and {len(growing) - NAMED} more lines")
    held = holder(shown)
    if held:
        out.append(f"  held by  {held}")
    return finish(out)


def holder(growing):
    """The way to what the line that grows most left -> 'module shop → .CATALOG → ...', or None."""
    import tempfile

    import memsure

    from . import _core
    from .recording import Unreadable
    from .snap import NotFound, Snapshot

    with tempfile.TemporaryDirectory(prefix="memsure-") as folder:
        try:
            snap = Snapshot.open(memsure.snapshot(os.path.join(folder, "leak.memsure")))
        except (_core.Error, OSError, Unreadable):
            return None
        for _, _, (file, line, _) in growing:
            try:
                why = snap.why(f"{file}:{line}")
            except NotFound:  # its blocks are no objects: a container's table, perhaps
                continue
            if why.path and why.path[-1].path:
                return " → ".join(why.path[-1].path)
    return None


# -- circles ----------------------------------------------------------------------------------------


def find_cycles(item):
    """Run the test while the collector rests, and look at what it leaves; once more if that is garbage: a first run
    loads modules and fills caches -> message or None."""
    message = None
    for _ in range(2):
        passed, message = run_uncollected(item)
        if not passed or message is None:
            return None
    return message


def run_uncollected(item):
    """-> (whether the test passed, what is said of the garbage it left or None)"""
    import gc

    import memsure

    enabled, flags, kept = gc.isenabled(), gc.get_debug(), len(gc.garbage)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)  # what the test itself collects is kept for us
    try:
        mark = memsure.mark()
        passed = once(item)
        garbage = collect(kept)
        said = None
        if passed and garbage:
            from .circles import circles

            said = circles(garbage, is_tools_type)
        garbage = None
        gc.set_debug(flags & ~gc.DEBUG_SAVEALL)
        gc.collect()
        if not said:
            return passed, None
        lines = [x for x in mark.lines() if x.collected_bytes and not is_tool(x.file)]
    finally:
        del gc.garbage[kept:]
        gc.set_debug(flags)
        if enabled:
            gc.enable()
    return passed, cycles_message(item, said, lines)


def collect(kept):
    """What is garbage now. The circle of pytest.raises() is broken first: exception, frame, and what it gave."""
    import gc

    gc.collect()
    garbage = gc.garbage[kept:]
    theirs = [x for x in garbage if type(x) is pytest.ExceptionInfo]
    if theirs:
        for x in theirs:
            x._excinfo = None
        x = theirs = garbage = None
        del gc.garbage[kept:]
        gc.collect()
        garbage = gc.garbage[kept:]
    del gc.garbage[kept:]
    return garbage


def is_tools_type(type):
    return (getattr(type, "__module__", None) or "").partition(".")[0] in ("_pytest", "pluggy", "pytest_asyncio", "xdist")


def cycles_message(item, said, lines):
    from .text import count, size

    number, forms = said
    out = [f"no_cycles: {count(number)} object{'s' * (number != 1)} in circles, left to the collector"]
    for times, words, members in forms[:NAMED]:
        out.append(f"  {words}" + (f"   ×{count(times)}" if times > 1 else "") + f"   ({members})")
    if len(forms) > NAMED:
        out.append(f"  and {len(forms) - NAMED} more forms")
    lines.sort(key=lambda x: -x.collected_bytes)
    if lines:
        out.append("born, with what they hold:")
        out += Lines(item.config.rootpath).say([(size(x.collected_bytes), x.file, x.line, x.function) for x in lines[:NAMED]])
    return finish(out)


# -- the fixture ------------------------------------------------------------------------------------


class Memory:
    """What the fixture `memsure` gives."""

    def __init__(self, folder):
        self._folder, self._snapshots = folder, 0

    def mark(self):
        """The exact counters now: mark().since() and .lines() say what happened since. See memsure.mark()."""
        import memsure

        return memsure.mark()

    def snapshot(self, path=None):
        """Write all objects to a file -> memsure.snap.Snapshot, opened. None: a file in the test's tmp_path."""
        import memsure

        from .snap import Snapshot

        if path is None:
            self._snapshots += 1
            path = self._folder / f"{self._snapshots}.memsure"
        return Snapshot.open(memsure.snapshot(path))


@pytest.fixture(name="memsure")
def memory(request, tmp_path):
    """Exact memory figures: mark(), snapshot(). The test is skipped where nothing can be recorded."""
    why_not = request.config.stash[STATE].begin()
    if why_not:
        pytest.skip(why_not)
    return Memory(tmp_path)


# -- the summary ------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    state = item.config.stash[STATE]
    if state.summary and not state.repeating and state.begin() is None:
        import memsure

        item.stash[BEGUN] = memsure.mark()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "teardown" and not item.config.stash[STATE].repeating:
        mark = item.stash.get(BEGUN, None)
        if mark is not None:
            del item.stash[BEGUN]
            report.memsure = figures(mark)
    return report


def figures(mark):
    """What a test took, as plain data that travels with its report."""
    from . import _core

    try:
        since, lines = mark.since(), [x for x in mark.lines() if not is_tool(x.file)]
        if sum(x.live_bytes for x in lines) >= 64 << 10:  # it may be garbage
            import gc

            gc.collect()
            lines = [x for x in mark.lines() if not is_tool(x.file)]
    except _core.Error:
        return None
    out = {"peak": since.peak_bytes, "allocated": since.allocated_bytes, "retained": max(0, sum(x.live_bytes for x in lines))}
    for name, figure in (("peak", "peak_bytes"), ("retained", "live_bytes")):
        known = [x for x in lines if (getattr(x, figure) or 0) > 0]
        if known:
            x = max(known, key=lambda x: getattr(x, figure))
            out[name + "_line"] = [getattr(x, figure), x.file, x.line, x.function]
    return out


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    found = getattr(report, "memsure", None)
    if found and _sessions:
        _sessions[-1].rows.append({"test": report.nodeid, **found})


_sessions = []


def pytest_sessionstart(session):
    _sessions.append(session.config.stash[STATE])


def pytest_sessionfinish(session):
    if _sessions:
        _sessions.pop()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter, config):
    state = config.stash[STATE]
    if not state.summary:
        return
    from .text import count, size

    write = terminalreporter.write_line
    terminalreporter.section("memsure")
    if not state.rows:
        write(f"no test was recorded{': ' + state.unseen if state.unseen else ''}")
        return
    rows, lines = state.rows, Lines(config.rootpath)
    first = sorted(rows, key=lambda r: (-r["peak"], r["test"]))[:SHOWN]
    keep = sorted((r for r in rows if r["retained"] >= 4096 and r not in first), key=lambda r: (-r["retained"], r["test"]))[:SHOWN]
    write(finish([f"Python memory of {count(len(rows))} tests: {size(sum(r['allocated'] for r in rows))} allocated, "
                  f"{size(sum(r['retained'] for r in rows))} kept at their ends"]))
    write(f"{'peak':>9} {'kept':>9} {'allocated':>9}  test")
    for r in first + keep:
        write(finish([f"{size(r['peak']):>9} {size(r['retained']):>9} {size(r['allocated']):>9}  {r['test']}"]))
        for name, word in (("peak", "at the peak"), ("retained", "kept")):
            line = r.get(name + "_line")
            if line and line[0] >= max(1024, r[name] // 4):
                write(finish([" " * 30 + lines.say([(f"{word} {size(line[0])}", *line[1:])])[0]]))
