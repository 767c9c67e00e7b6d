"""The judgement: what the checks found, told apart by the source, in order.

`_core.checks` (src/checks) measures: it looks at each process's recording and snapshots and gives
findings, a rule each, with a line and bytes. What takes the source text is added here, on the lines
that matter only (fixes.py): a finding that needs it is kept only if the source agrees.

    leak        memory grows to the end of the run
    not yours   it grows outside of Python
    cyclic      it is dead, and waits for the collector
    retention   it is alive, and need not be, or not so large
    allocator   it is free, and does not go back to the system
    churn       it is allocated and dropped: work, not memory
    healthy     nothing of these
    unrecorded  no process was seen to allocate anything, or the file is damaged: what is there says nothing

The first kind that has a finding decides the verdict. Import time is never a finding, but by rule Y3.
"""

from . import _core
from .recording import aside

# A line is no suspect below this share of what is live; the checks' own constant, for the words.
GROWTH_SHARE = 0.05
# Flat: within 5 % of the level at the end.
FLAT = 0.05
KINDS = ("leak", "not yours", "cyclic", "retention", "allocator", "churn", "healthy", "unrecorded")
ASIDE = {"": 0, "import": 1, "none": 2, "before": 3, "memsure": 4}
OWN_PART = 0.05  # of all blocks, that the call itself makes of which P3 speaks
ANEW = 50  # times a thing is made, to be made anew each time
ARRAY = 4096  # bytes, from a page on: the checks' own
WHOSE = {"own": 0, "lib": 1, "std": 2, "": 3}
# Of the rules that fit a line's figures, the one whose pattern the source shows is told; in this
# order, the more special first.
PATTERNS = ("N7", "R3", "R4", "R11", "N3", "N6", "N1", "N2", "N5", "P4", "N4", "P3", "P2")
PLACED = {"Y2", "L9", "N7", "O4", "O5", "O6", "O7", "P5"}  # the source shows where it was begun, in another line than what is measured
HELD = {"L1", "L2", "L3", "L4", "L5", "L8", "R5", "R9", "R13"}


PRINCIPLE = {"C": 1, "R": 2, "P": 3, "L": 4, "Y": 5, "N": 6, "S": 7, "O": 8, "T": 8, "G": 8}


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
    """Least squares with an interval that holds for residuals that hang together (trend.c); times in
    seconds, at least 4 points.

    >>> s = slope([0, 1, 2, 3, 4, 5], [5, 7, 9, 11, 13, 15])
    >>> s.per_second, s.error, s.rise
    (2.0, 0.0, 10.0)
    """
    return Slope(*_core.trend(times, values, 0.0)[:4])


def grows(times, values, live):
    """The Slope if this curve grows to its end and the growth matters against `live` bytes; else
    None."""
    *found, yes = _core.trend(times, values, live)
    return Slope(*found) if yes else None


class Finding:
    """One thing that was found: a rule met at a line (a group of recording.lines, or None).

    `facts` are the numbers that the check measured, by name; `pattern` is what the source shows
    (fixes.Pattern) or None; `holder` who holds it, by a snapshot, or None."""

    __slots__ = (
        "rule", "principle", "verdict", "line", "site", "bytes", "saves", "confidence", "suspect",
        "process", "slope", "facts", "pattern", "holder", "measured", "way",
    )  # fmt: skip

    def __init__(self, found, process):
        self.rule = found["rule"]
        self.principle = PRINCIPLE[found["rule"][0]]
        self.verdict = found["verdict"]
        self.line = found["line"]
        self.measured = found["line"]  # whose figures are told: a library's line, where `line` calls it
        self.site = found["site"]
        self.bytes = found["bytes"]
        self.saves = found["saves"]
        self.confidence = found["confidence"]
        self.suspect = found["suspect"]
        self.process = process
        self.facts = facts = found["facts"]
        self.way = found["way"]  # to what holds it: [(label, kind, type, bytes, line)]
        self.slope = None
        if "per_second" in facts:
            self.slope = Slope(*(facts[k] for k in ("per_second", "error", "start", "end")))
        self.pattern = None
        self.holder = None

    @property
    def kind(self):
        return self.verdict

    @property
    def pattern_elsewhere(self):
        """Whether the patch belongs to another file than the finding's line."""
        told = self.holder if self.holder is not None and self.holder.patch else self.pattern
        return told is not None and told.file is not None


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
        self.windows = []  # by process: (start_s, end_s) in which growth is judged, or None


def baseline(recording, sources):
    """Which lines are no suspects -> [why or ''] by group: 'import' (a baseline), 'none' (no Python
    frame), 'before' (Python started), 'memsure'."""
    out, mains = [], {}
    lines = recording.lines
    modules = lines.named("<module>")
    for file, _, function, flags in lines.keys:
        why = aside(flags) if flags else ""
        if not why and function in modules:
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
    out.baseline = baseline(recording, sources)
    lines = recording.lines
    kinds = {row: WHOSE[sources.kind(lines.name(row))] for row in {key[0] for key in lines.keys}}
    found, slopes, out.judged_growth, spread, out.windows = _core.checks(
        [(p.file, group) for p, group in zip(recording.processes, lines.group)],
        bytes([ASIDE[why] for why in out.baseline]),
        bytes([kinds[key[0]] for key in lines.keys]),
    )
    for _, line, *measured in slopes:
        s = Slope(*measured)
        if line not in out.slopes or out.slopes[line].rise < s.rise:
            out.slopes[line] = s
    if spread:
        out.spread = recording.processes[spread[0]], Slope(*spread[1:])
    findings, open_ = [], {}
    for one in found:
        f = Finding(one, recording.processes[one["process"]])
        if one["needs_source"]:
            open_.setdefault((one["process"], f.line), []).append(f)
        else:
            findings.append(f)
    if open_ or findings:
        _read_source(recording, sources, findings, open_, out)
    order = {f: n for n, f in enumerate(findings)}

    def weight(f):
        return f.saves if f.verdict == "retention" else f.bytes

    findings.sort(key=lambda f: (KINDS.index(f.verdict), -weight(f), order[f]))
    seen = set()
    for f in list(findings):  # of what would be said of the same data, the one that saves most
        if f.rule[0] == "S" and f.holder is not None:
            if f.holder.held and f.holder.held in seen:
                findings.remove(f)
            seen.add(f.holder.held)
    told = set()
    for f in list(findings):  # one pattern of the source is one finding, by whichever figures it was met
        if f.pattern is not None and f.pattern.mark and f.line is not None:
            key = f.rule, lines.file(f.line), f.pattern.mark[0]
            if key in told:
                findings.remove(f)
            told.add(key)
    out.findings = findings
    if findings:
        out.kind = findings[0].verdict
    elif out.spread:
        out.kind = "leak"
    elif recording.damaged or all(p.unrecorded for p in recording.processes):
        out.kind = "unrecorded"
    return out


def _read_source(recording, sources, findings, open_, out):
    """Keep, of the findings that need the source, those that it confirms; a finding each line."""
    from . import fixes

    reader = fixes.Reader(sources)
    lines, sparing = recording.lines, set()
    for (_, line), several in open_.items():
        several.sort(key=lambda f: PATTERNS.index(f.rule))
        for f in several:
            pattern = reader.confirm(f.rule, lines.file(line), f.facts.get("frame_line") or lines.line(line), f.facts)
            if pattern is not None and pattern.gain is not None:
                counted = pattern.gain.count(_figures(lines, f))
                if not counted if f.rule == "P3" else not pattern.gain.pays:
                    continue
            if pattern is not None and not _as_often(lines, f, pattern):
                if f.rule == "N4":
                    sparing.add(f.line)     # one array: the least that an array expression can do
                continue
            if pattern is not None:
                f.pattern = pattern
                if pattern.rule:
                    f.rule, f.principle = pattern.rule, PRINCIPLE[pattern.rule[0]]
                findings.append(f)
                break
    told = _by_class(lines, findings) | {f.line for f in findings if f.pattern is not None}
    made = {f.line for f in findings if f.pattern is not None and f.rule[0] in "NP"}
    # What need not be made at all need not be made in a better form.
    findings[:] = [f for f in findings if not (f.rule == "N8" and (f.line in told | sparing or reader.in_pieces(lines.file(f.line), lines.line(f.line))) or f.rule[0] == "S" and f.line in made)]
    if any(f.way or f.rule in PLACED or f.rule == "L7" for f in findings):
        from .holders import Keepers
        from .places import Places

        keepers = Keepers(recording, sources, reader, out.baseline)
        places = Places(keepers)
        for f in list(findings):
            if f.way and "circles" not in f.facts:
                f.way = keepers.closed_over(f.way)
            if f.rule in PLACED:
                f.holder = places.tell(f)
                if f.holder is None:
                    findings.remove(f)
            elif f.rule in HELD and f.way:
                f.holder = keepers.held(f)
                if f.holder is False:
                    findings.remove(f)
            elif f.rule == "L7":
                f.holder = keepers.native(f)
            elif "circles" in f.facts and f.way:
                f.holder = keepers.circle(f)
            elif f.way and f.rule[0] == "S" and keepers.passes_through(f.way):
                findings.remove(f)
            elif f.way:
                f.holder = keepers.kept(f)
    told, seen = {id(f.process) for f in findings if f.rule in ("R6", "R7")}, set()
    for f in list(findings):
        if f.rule in ("R6", "R7"):  # a library keeps one record in several lists
            if (f.rule, f.line) in seen:
                findings.remove(f)
            seen.add((f.rule, f.line))
        if f.suspect and f.holder is None and (_let_go(lines, f) or id(f.process) in told and sources.kind(lines.file(f.line)) != "own"):
            findings.remove(f)
    for f in findings:
        if (f.rule == "C8" or f.rule == "C6" and not f.way) and f.line is not None:
            if sources.kind(lines.file(f.line)) != "own":  # a library makes them for a line of ours
                above = caller(recording, sources, f.process, f.line, "allocated_bytes")
                if above is not None:
                    f.line, f.site = above[0], None
            rule, pattern = reader.cycle(lines.file(f.line), lines.line(f.line), lines.function(f.line))
            if rule:
                f.rule, f.pattern = rule, pattern
    for f in findings:
        told = f.holder if f.holder is not None and f.holder.patch else f.pattern
        file = (told.file if told is not None else None) or (lines.file(f.line) if f.line is not None else "")
        if told is not None and told.patch and (m := reader.module(file)) is not None:
            told.patch = fixes.with_imports(m, told.patch)
    # What an import makes, by a library's functions, too, is a baseline. A holder has a line of its own.
    findings[:] = [f for f in findings if f.rule == "Y3" or f.line is None or f.holder or not reader.imports(lines.file(f.line), lines.line(f.line))]


def _as_often(lines, f, pattern):
    """Whether what the source shows was done as often as the finding says: what P4 calls made anew, at each of many calls; of N4's
    operations, two at least made arrays (numpy lets an operation write to the temporary of another)."""
    if f.rule == "N4":
        arrays = sorted(size for _, _, blocks, size in _figures(lines, f) if blocks and size >= ARRAY * blocks)
        return len(arrays) > 1 and 5 * arrays[-2] >= arrays[-1]
    if pattern.made and pattern.mark:
        blocks, file = f.process.column("sites", "allocated_blocks"), lines.keys[f.line][0]
        made = [line for line, key in enumerate(lines.keys) if key[0] == file and key[1] == pattern.mark[0]]
        return sum(blocks[row] for line in made for p, row in lines.rows(line) if p is f.process and row < len(blocks)) >= ANEW
    return True


def _by_class(lines, findings):
    """P3 is asked of a class: of its lines the one that makes most speaks for all, where they make enough together and it
    pays; the others are taken out -> those lines."""
    classes, gone, merged = {}, set(), set()
    for f in findings:
        if f.rule == "P3" and f.pattern is not None and f.pattern.gain is not None:
            classes.setdefault((id(f.process), f.pattern.file or lines.file(f.line), f.pattern.gain.what), []).append(f)
    for several in classes.values():
        several.sort(key=lambda f: -f.pattern.gain.number)
        first, *others = several
        gain = first.pattern.gain
        blocks = sum(figure[2] for f in several for figure in _figures(lines, f))
        own = sum(f.pattern.gain.number * f.pattern.gain.blocks for f in several)
        # The lines may make most by other calls.
        if blocks < first.facts["needs"] or own < OWN_PART * first.facts["all_blocks"] or not gain.pays:
            gone.update(id(f) for f in several)
            continue
        for f in others:
            gain.number += f.pattern.gain.number
            gain.bytes += f.pattern.gain.bytes
            first.bytes += f.bytes
        if others:
            at = sorted(f"{os_basename(lines.file(f.line))}:{lines.line(f.line)}" for f in others)
            first.pattern.note += f"; more of them in {', '.join(at[:3])}{' ...' if len(at) > 3 else ''}"
        gone.update(id(f) for f in others)
        merged.update(f.line for f in others)
    findings[:] = [f for f in findings if id(f) not in gone]
    return merged


def _figures(lines, f):
    """What each instruction of a finding's line allocated -> [(column, end_column, blocks, bytes)]."""
    columns = [f.process.column("sites", name) for name in ("column", "end_column", "allocated_blocks", "allocated_bytes")]
    return [tuple(c[row] for c in columns) for p, row in lines.rows(f.line) if p is f.process and all(row < len(c) for c in columns)]


def _let_go(lines, f):
    """Whether a suspect's memory was freed by the program before its end, and the snapshots, taken there or before, show
    no holder that grows: what a function works on, and gives back."""
    p = f.process
    if "exit" not in p.words("snapshots"):
        return False
    column = p.column("sites", "live_bytes")
    kept = sum(column[row] for q, row in lines.rows(f.line) if q is p and row < len(column))
    return 2 * kept < f.bytes


def caller(recording, sources, p, line, weight):
    """The nearest other function of the program's own code above a line, by the (sampled) stacks
    -> (line, share) or None."""
    lines = recording.lines
    rows = {r for q, r in lines.rows(line) if q is p}
    group = lines.group[recording.processes.index(p)]
    sites, parents = p.column("nodes", "site"), p.column("nodes", "parent")
    weights = p.column("nodes", weight)
    if not (len(sites) == len(parents) == len(weights)):
        return None
    function, own = lines.function(line), sources.kind(lines.file(line)) == "own"
    by, total = {}, 0.0
    for node, site in enumerate(sites):
        if site in rows and 0 < weights[node] < 1e18:
            total += weights[node]
            at, steps = parents[node], 0
            while at and at < len(parents) and steps < 1000:
                g = group[sites[at]] if sites[at] < len(group) else None
                if g is not None and lines.line(g) > 0 and sources.kind(lines.file(g)) == "own" and not (own and lines.function(g) == function):
                    by[g] = by.get(g, 0.0) + weights[node]
                    break
                at, steps = parents[at], steps + 1
    if not by:
        return None
    best = max(by, key=by.get)
    return (best, by[best] / total) if by[best] >= total / 2 else None
