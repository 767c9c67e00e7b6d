"""What a recording alone can tell: growing, churn, cyclic or healthy, and the evidence for it.

Each finding is judged from what was measured, in one process at a time:

    growing   a line's live bytes rise to the end. After the warm-up: a slope whose 95 % interval
              excludes zero, the lowest level of each part of the run above the one before, no
              plateau in the last third, and enough bytes to matter.
    cyclic    memory was dead and waited for the collector: the most that one collection
              reclaimed, against the peak.
    churn     far more is allocated than ever kept, at a rate that costs time, and one line
              carries a good part of it.
    healthy   none of these.
    unrecorded  no process was seen to allocate anything: there is nothing to judge.

A line that grows is a *suspect*: whether its blocks are needed, a recording does not know. Import
time is never a finding.

The interval of a slope: what is left of a live-bytes curve beside its line hangs together over
time, and the textbook error of a regression would be far too small. The residuals are taken as an
autoregression of first order: with a correlation r of neighbours (corrected for the bias that
fitting a line brings), n points are worth n (1 - r) / (1 + r). Tried on 150 series each of n = 20
to 300, r = 0 to 0.95 (test_report.py repeats a part of it): the interval holds the true slope in 85
to 98 %. Newey and West's, with 1.3 to 4 sqrt(n) neighbours, held it in 57 to 93 %, and was dropped.
"""

from math import sqrt

from .recording import BEFORE, NO_FRAME, OURS

# The first third of a run is warm-up: imports, caches that fill, pools that reach their size.
WARM_UP = 1 / 3
# Shorter runs cannot be told from a program that builds its data once, and is done.
LEAST_SECONDS = 1.0
LEAST_POINTS = 12
# Parts of the window whose lowest levels must rise; so many steps between them may fail to.
PARTS = 6
FALSE_STEPS = 1
# In the last third of the window a curve that still grows goes on at no less than this share of its
# average pace. A cache that fills like 1 - exp(-t) is below it once 90 % of it are full.
PLATEAU = 0.25
# Growth matters from 1 MiB (a heap's noise) and 5 % of what is live (else another line decides).
GROWTH_BYTES = 1 << 20
GROWTH_SHARE = 0.05
# Residuals more alike than this are a wandering level; the interval is wide enough then.
MOST_CORRELATED = 0.97
# So many lines are looked at more closely, by how far they rose.
CANDIDATES = 24

# Memory dead and waiting: from 4 MiB on (a young generation's worth of large objects is normal) and
# a fifth of the peak.
WAITING_BYTES = 4 << 20
WAITING_SHARE = 0.2
# Or the collector works a tenth of the run, and frees a fifth of all bytes that are freed.
COLLECTOR_TIME = 0.1
COLLECTOR_SHARE = 0.2

# 50 times the peak in all, and 100 MiB per second of CPU time (copying alone takes 2 % of it).
CHURN_TIMES = 50
CHURN_RATE = 100 << 20
# The line to look at makes a fifth of it, in blocks larger than numbers and small tuples: those are
# the language's own way of working.
CHURN_SHARE = 0.2
CHURN_BLOCK = 96

# Flat: within 5 % of the level at the end.
FLAT = 0.05


class Slope:
    """A straight line through a curve: bytes per second, half the width of its 95 % interval, and
    the rise over the window."""

    __slots__ = ("per_second", "error", "rise", "start", "end")

    def __init__(self, per_second, error, start, end):
        self.per_second = per_second
        self.error = error
        self.start = start  # seconds
        self.end = end
        self.rise = per_second * (end - start)


def slope(times, values):
    """Least squares with an interval that holds for residuals that hang together; times in seconds,
    at least 4 points.

    >>> s = slope([0, 1, 2, 3, 4, 5], [5, 7, 9, 11, 13, 15])
    >>> s.per_second, s.error, s.rise
    (2.0, 0.0, 10.0)
    """
    n = len(times)
    mean_t, mean_v = sum(times) / n, sum(values) / n
    x = [t - mean_t for t in times]
    sxx = sum(d * d for d in x)
    if n < 4 or not sxx:
        return Slope(0.0, float("inf"), times[0] if n else 0.0, times[-1] if n else 0.0)
    b = sum(d * (v - mean_v) for d, v in zip(x, values)) / sxx
    e = [v - mean_v - b * d for d, v in zip(x, values)]
    square = sum(r * r for r in e)
    r = sum(p * q for p, q in zip(e, e[1:])) / square if square else 0.0
    r = min(MOST_CORRELATED, max(0.0, r + (2 + 4 * r) / n))
    worth = max(4.0, n * (1 - r) / (1 + r))
    student = 1.96 + 2.4 / (
        worth - 2.5
    )  # the 97.5 % point of Student's t, to 2 % from 3 degrees of freedom on
    error = student * sqrt(square / (n - 2) / sxx * (1 + r) / (1 - r))
    return Slope(b, error, times[0], times[-1])


def lows(times, values, parts=PARTS):
    """The lowest value in each of so many equal stretches of time."""
    start, span = times[0], (times[-1] - times[0]) or 1
    out = [None] * parts
    for t, v in zip(times, values):
        i = min(parts - 1, int((t - start) * parts / span))
        if out[i] is None or v < out[i]:
            out[i] = v
    return [v for v in out if v is not None]


def steps_up(levels):
    return sum(b > a for a, b in zip(levels, levels[1:]))


def grows(times, values, live):
    """The Slope if this curve grows to its end and the growth matters against `live` bytes; else
    None."""
    if len(times) < LEAST_POINTS:
        return None
    levels = lows(times, values)
    # A machine that is busy elsewhere leaves a stretch without a point; the others must tell.
    if len(levels) < PARTS - 2 or steps_up(levels) < len(levels) - 1 - FALSE_STEPS:
        return None
    if levels[-1] - levels[0] < max(GROWTH_BYTES, GROWTH_SHARE * live) * (PARTS - 1) / PARTS / 2:
        return None
    s = slope(times, values)
    if s.per_second - s.error <= 0 or s.rise < max(GROWTH_BYTES, GROWTH_SHARE * live):
        return None
    third = times[0] + (times[-1] - times[0]) * 2 / 3
    late = [(t, v) for t, v in zip(times, values) if t >= third]
    if (
        len(late) >= 4
        and slope([t for t, _ in late], [v for _, v in late]).per_second < PLATEAU * s.per_second
    ):
        return None
    return s


def window(process):
    """The part of a run in which growth is judged -> (start_s, end_s), or None where the run is too
    short.

    From the end of the warm-up to the end; where a program drops most of its memory as it ends, to
    just before that. How long the interpreter takes itself down afterwards (the timeline stops
    there) does not count."""
    times, values = process.timeline("python_bytes")
    whole = process.duration_ns / 1e9
    if len(times):
        whole = min(whole, times[-1] / 1e9)
    if whole < LEAST_SECONDS:
        return None
    start, end = whole * WARM_UP, whole
    if len(times):
        top = max(values)
        at = len(times) - 1
        while at > 0 and values[at] < top / 2 and times[at] >= whole * 0.95e9:
            at -= 1
        end = min(end, times[at] / 1e9)
    return start, end


class Finding:
    """One thing that was found. `line` is a group of recording.lines (or None), `bytes` what it is
    about."""

    __slots__ = ("kind", "line", "bytes", "process", "slope", "facts")

    def __init__(self, kind, line, nbytes, process, slope=None, **facts):
        self.kind = kind
        self.line = line
        self.bytes = nbytes
        self.process = process
        self.slope = slope
        self.facts = facts


class Judgement:
    """`kind`, the findings (first the one that decides), the slopes of lines, and what could not be
    judged."""

    def __init__(self):
        self.kind = "healthy"
        self.findings = []
        self.slopes = {}  # line -> Slope, of every line that grows
        self.judged_growth = False
        self.spread = None  # (process, Slope): the whole grows, and no single line carries it
        self.baseline = []  # by line: why it is no suspect, or ''


def baseline(recording, sources):
    """Which lines are no suspects -> [why or ''] by group: 'import' (a baseline), 'none' (no Python
    frame), 'before' (Python started), 'memsure'."""
    out, mains = [], {}
    lines = recording.lines
    modules = lines.named("<module>")
    for file, _, function, flags in lines.keys:
        why = ""
        if flags & 15:
            why = (
                "memsure"
                if flags & OURS
                else "before"
                if flags & BEFORE
                else "none"
                if flags & NO_FRAME
                else "import"
            )
        elif function in modules:
            main = mains.get(file)
            if main is None:
                main = mains[file] = is_main(recording, sources, lines.name(file))
            why = "" if main else "import"
        out.append(why)
    return out


def is_main(recording, sources, file):
    """Whether a file is the program itself: its module level runs for as long as the program
    does."""
    if file.startswith("<"):
        return not file.startswith("<frozen")
    if os_basename(file) == "__main__.py":
        return True
    words = recording.first.words("argv")
    path = sources.path(file)
    for i, word in enumerate(words[1:], 1):
        if word == "-m" and i + 1 < len(words):
            name = words[i + 1].replace(".", "/")
            return path.endswith((f"/{name}.py", f"/{name}/__init__.py"))
        if path == sources.path(word):
            return True
    return not words and sources.kind(file) == "own"


def os_basename(path):
    return path.rpartition("/")[2]


def judge(recording, sources):
    """Look at every process; put what was found in order."""
    out = Judgement()
    growing, cyclic, churn = [], [], []
    out.baseline = baseline(recording, sources)
    aside = out.baseline.__getitem__
    for at, p in enumerate(recording.processes):
        growing += _growing(recording, p, recording.lines.group[at], aside, out)
        cyclic += _cyclic(recording, p, at, aside)
        churn += _churn(recording, p, at, aside)
    growing.sort(key=lambda f: -f.bytes)
    cyclic.sort(key=lambda f: -f.bytes)
    churn.sort(key=lambda f: -f.bytes)
    out.findings = growing + cyclic + churn
    if growing:
        out.kind = "growing"
    elif out.findings:
        out.kind = out.findings[0].kind
    elif out.spread:
        out.kind = "growing"
    elif all(p.unrecorded for p in recording.processes):
        out.kind = "unrecorded"
    return out


def _growing(recording, p, group, aside, out):
    span = window(p)
    rows, curves, points = p.curve_rows()
    if span is None:
        return []
    times, first, last = [t / 1e9 for t in points], 0, len(points)
    while first < last and times[first] < span[0]:
        first += 1
    while last > first and times[last - 1] > span[1]:
        last -= 1
    times = times[first:last]
    if len(times) < LEAST_POINTS:
        return []
    out.judged_growth = True
    ends = {}  # a cheap look first: what rose from the start of the window to its end
    for row, curve in zip(rows, curves):
        line = group[row] if row < len(group) else None
        if line is None or aside(line):
            continue
        ends.setdefault(line, []).append(curve)
    live = _live_at(p, span[1])

    def rise(line):
        return sum(c[last - 1] - c[first] for c in ends[line])

    found, slopes = [], {}
    for line in sorted(ends, key=rise, reverse=True)[:CANDIDATES]:
        if rise(line) < GROWTH_BYTES / 2:
            break
        curves = ends[line]
        values = (
            curves[0][first:last].tolist()
            if len(curves) == 1
            else list(map(sum, zip(*(c[first:last] for c in curves))))
        )
        s = grows(times, values, 0)
        if s is None:
            continue
        slopes[line] = s
        if s.rise >= GROWTH_SHARE * live:
            levels = lows(times, values)
            found.append(
                Finding(
                    "growing", line, values[-1], p, s, parts=len(levels) - 1, up=steps_up(levels)
                )
            )
    t, v = p.timeline("python_bytes")
    inside = [(a / 1e9, b) for a, b in zip(t, v) if span[0] <= a / 1e9 <= span[1]]
    if len(inside) >= LEAST_POINTS:
        t, v = [a for a, _ in inside], [b for _, b in inside]
        if found:  # what only moves from one line to another does not grow
            whole = slope(t, v)
            if whole.per_second + whole.error < found[0].slope.per_second / 2:
                return []
        else:  # many small lines together
            whole = grows(t, v, live)
            if whole and (out.spread is None or out.spread[1].rise < whole.rise):
                out.spread = p, whole
    for line, s in slopes.items():
        if line not in out.slopes or out.slopes[line].rise < s.rise:
            out.slopes[line] = s
    return found


def _live_at(p, t):
    times, values = p.timeline("python_bytes")
    best = p.number("live_bytes")
    for a, b in zip(times, values):
        if a / 1e9 > t:
            break
        best = b
    return best


def _top(recording, p, at, metric, aside):
    """The line of one process with the most of a metric -> (line, bytes) or (None, 0)."""
    lines = recording.lines
    if len(recording.processes) == 1:
        top = lines.top(metric, 1, lambda i: not aside(i))
        return (top[0], lines[metric][top[0]]) if top else (None, 0)
    sums = {}
    for g, v in zip(lines.group[at], p.column("sites", metric)):
        if v:
            sums[g] = sums.get(g, 0) + v
    for g in sorted(sums, key=sums.__getitem__, reverse=True):
        if not aside(g):
            return g, sums[g]
    return None, 0


def _cyclic(recording, p, at, aside):
    times, reclaimed, durations = p.columns("collections", "t_ns", "reclaimed_bytes", "duration_ns")
    counts = p.column("collections", "count")
    if len(counts) != len(reclaimed):
        counts = [1] * len(reclaimed)
    reclaimed = [r // max(1, n) for r, n in zip(reclaimed, counts)]
    duration = sum(durations)
    waiting = max(reclaimed, default=0)
    by_collector = sum(p.column("sites", "gc_freed_bytes"))
    freed = p.number("freed_bytes") or sum(p.column("sites", "freed_bytes"))
    peak = p.number("peak_bytes")
    much = waiting >= max(WAITING_BYTES, WAITING_SHARE * peak)
    busy = (
        p.duration_ns
        and duration >= COLLECTOR_TIME * p.duration_ns
        and by_collector >= COLLECTOR_SHARE * freed
        and by_collector >= WAITING_BYTES
    )
    if not (much or busy):
        return []
    line, nbytes = _top(recording, p, at, "gc_freed_bytes", aside)
    if line is None:
        return []
    when = 0
    if waiting > 0:
        when = times[reclaimed.index(waiting)]
    return [
        Finding(
            "cyclic",
            line,
            max(waiting, 0) if much else by_collector,
            p,
            waiting=waiting if much else 0,
            when_ns=when,
            by_collector=by_collector,
            freed=freed,
            peak=peak,
            line_bytes=nbytes,
            collections=sum(counts),
            collector_ns=duration,
        )
    ]


def _churn(recording, p, at, aside):
    allocated, peak = p.number("allocated_bytes"), p.number("peak_bytes")
    spent = (p.number("cpu_ns") or p.duration_ns) / 1e9
    if (
        not spent
        or allocated < CHURN_TIMES * peak
        or allocated < CHURN_RATE * max(spent, LEAST_SECONDS)
    ):
        return []
    line, nbytes = _top(recording, p, at, "temporary_bytes", aside)
    if line is None or nbytes < CHURN_SHARE * allocated:
        return []
    blocks = recording.lines["temporary_blocks"][line]
    if not blocks or nbytes / blocks < CHURN_BLOCK:
        return []
    return [Finding("churn", line, nbytes, p, blocks=blocks, allocated=allocated, peak=peak)]
