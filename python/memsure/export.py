"""A recording in the formats of other tools: `memsure export FILE --to FORMAT`.

    speedscope   JSON, three profiles: live at the peak, allocated, live at the end
    pprof        gzip'd protobuf: allocations, what is in use at the end, what was at the peak
    collapsed    a line per stack, for flamegraph.pl, inferno, speedscope
    csv          a row per file, line and function with every exact counter
    heapsnapshot the objects of a snapshot, for Chrome's DevTools (written in C: src/graph/devtools.c)

The first three hold stacks, from the recording's `nodes`. `Stacks` joins the trees of all
processes: nodes whose frames read the same (file, line, function) under the same parent become
one. Estimates are rounded along the tree, so that every format shows the same integers, and their
sum is the rounded sum. A process without a single stack (a small program between two samples)
gives its lines as stacks of depth one; `Stacks.basis` says so, and every format that has a place
for words carries it. docs/EXPORT.md tells users the same.

A file appears whole or not at all, and replaces another only where -o names it.
"""

import os
import sys

from .cli import Usage, complain, write
from .recording import IMPORT, aside
from .report import ASIDE, SITE_METRICS, shell_word
from .source import Sources
from .text import count, size

VALUES = ("allocated_blocks", "allocated_bytes", "live_blocks", "live_bytes", "peak_bytes")
METRICS = {  # --metric -> (column, its words)
    "peak": ("peak_bytes", "live at the peak"),
    "allocated": ("allocated_bytes", "allocated"),
    "live": ("live_bytes", "live at the end"),
}
EXTENSIONS = {
    "speedscope": ".speedscope.json",
    "pprof": ".pb.gz",
    "collapsed": ".collapsedstack.txt",
    "csv": ".csv",
}
OPENERS = {
    "speedscope": "npx speedscope {}",
    "pprof": "go tool pprof -http=: {}",
    "collapsed": "flamegraph.pl --countname=bytes {} > memory.svg",
}
UNKNOWN = "(stack unknown)"
MOST = 1 << 62  # an estimate beyond this is damage
FEW = 100  # sampled stacks: below this a picture shows chance


def main(recording, to, out=None, metric=None):
    """Write `recording` in the format `to` to the file `out` ('-' is stdout; None is a new file
    beside the recording). `metric` is what is shown first, and all that `collapsed` holds."""
    metric = metric or "peak"
    target = out if out is not None else beside(recording, to)
    _check(recording, to, out, target)
    if to == "csv":
        basis, data = None, as_csv(recording, metric)
    else:
        stacks = Stacks(recording)
        basis = stacks.basis
        data = WRITERS[to](recording, stacks, metric)
    for sentence, shown in recording.warnings():
        complain(sentence, word="warning")
        if shown:
            write(sys.stderr, f"  shown: {shown}\n")
    if basis is not None and (stacks.by_line or stacks.samples < FEW and not stacks.exact):
        complain(
            f"{'few stacks' if stacks.samples else 'no stack'} to show: {basis}",
            f"memsure run --exact {_program(recording)}",
            "(takes every stack)",
            word="note",
        )
    if target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return 0
    save(recording, to, target, data, replace=out is not None)
    opener = OPENERS.get(to)
    write(
        sys.stderr,
        f"{target}  {size(len(data))}{f' · {basis}' if basis else ''}\n"
        + (f"next: {opener.format(shell_word(target))}\n" if opener else ""),
    )
    return 0


def _program(recording):
    return shell_word(recording.first.info.get("command") or "app.py")


# -- where it goes -------------------------------------------------------------------------------


def beside(recording, to):
    """The name that is taken where none is given: run.memsure -> run.pb.gz."""
    path = recording.path.rstrip("/") or recording.path
    stem = path.removesuffix(".memsure")
    if os.path.basename(stem) in ("", ".", ".."):
        stem = os.path.join(path, "run")
    if os.path.isdir(path) and len(recording.processes) == 1:
        stem += f"-{recording.first.number('pid')}"
    return stem + EXTENSIONS[to]


def _check(recording, to, out, target):
    """Refuse what would do harm, before any work is done."""
    command = f"memsure export {shell_word(recording.path)} --to {to}"
    if target == "-":
        if to == "pprof" and sys.stdout.isatty():
            raise Usage("pprof is binary, nothing for a terminal", command)
        return
    if out is None and os.path.lexists(target):
        raise _exists(command, target)
    if any(_same(target, p.path) for p in recording.processes):
        raise Usage(f"'{target}' is the recording itself", command)


def _exists(command, target):
    return Usage(
        f"'{target}' exists already", f"{command} -o {shell_word(target)}", "(replaces it)"
    )


def _same(a, b):
    try:
        return os.path.samefile(a, b)
    except OSError:
        return False


def save(recording, to, target, data, replace):
    """Write a file whole or not at all. Pipes and devices that -o names are written as they are."""
    import stat
    import tempfile

    command = f"memsure export {shell_word(recording.path)} --to {to}"
    temporary = None
    try:
        try:
            mode = os.stat(target).st_mode
        except FileNotFoundError:
            mode = None
        if mode is not None and not stat.S_ISREG(mode):
            with open(target, "wb") as f:
                _put(f, data)
            return
        real = os.path.realpath(target)
        folder, name = os.path.split(real)
        fd, temporary = tempfile.mkstemp(".tmp", f".{name[:100]}.", folder)
        with os.fdopen(fd, "wb") as f:
            _put(f, data)
            f.flush()
            os.fsync(f.fileno())
            if mode is not None:
                os.fchmod(f.fileno(), stat.S_IMODE(mode))
        if replace:
            os.replace(temporary, real)
            temporary = None
        else:
            try:
                os.link(temporary, target)  # fails where a file appeared meanwhile
            except FileExistsError:
                raise _exists(command, target) from None
            except OSError:  # no hard links here
                if os.path.lexists(target):
                    raise _exists(command, target) from None
                os.replace(temporary, target)
                temporary = None
    except OSError as e:
        raise Usage(
            f"cannot write '{target}': {e.strerror.lower() if e.strerror else e}",
            f"{command} -o {os.path.basename(target) or 'OUT'}"
            if os.path.dirname(target)
            else f"{command} -o -",
        ) from None
    finally:
        if temporary is not None:
            try:
                os.unlink(temporary)
            except OSError:
                pass


def _put(f, data):
    """Bytes, or what writes them to a file descriptor."""
    if callable(data):
        f.flush()
        data(f.fileno())
    else:
        f.write(data)


# -- snapshots -----------------------------------------------------------------------------------


def snapshot(path, out=None, at=None):
    """Write the snapshot in a file as a .heapsnapshot of V8, for Chrome's DevTools. It is written as it is computed."""
    from .progress import Progress
    from .snap import Snapshot

    with Progress(f"reading {path}") as progress:
        snap = Snapshot.open(path, at)
        target = out if out is not None else beside_snapshot(snap)
        command = f"memsure export {shell_word(path)} --to heapsnapshot"
        if target != "-" and out is None and os.path.lexists(target):
            raise _exists(command, target)
        if target != "-" and _same(target, path):
            raise Usage(f"'{target}' is the snapshot itself", command)
        progress.say(f"writing {target}")
        if target == "-":
            sys.stdout.flush()
            snap.core.heapsnapshot(sys.stdout.fileno())
            return 0
        save(snap, "heapsnapshot", target, snap.core.heapsnapshot, replace=out is not None)
    about = f"{size(os.path.getsize(target))} · {count(snap.objects)} objects" if os.path.isfile(target) else f"{count(snap.objects)} objects"
    write(sys.stderr, f"{target}  {about}\nnext: Chrome, F12, Memory, Load profile\n")
    return 0


def beside_snapshot(snap):
    """run.memsure -> run.heapsnapshot; of the peak: run-peak.heapsnapshot."""
    stem = snap.path.rstrip("/").removesuffix(".memsure")
    if os.path.basename(stem) in ("", ".", ".."):
        stem = os.path.join(snap.path, "run")
    return stem + ("-peak" if snap.moment == "peak" else "") + ".heapsnapshot"


# -- stacks --------------------------------------------------------------------------------------


class Stacks:
    """The trees of all processes as one.

    frames   [(function, file, line, name)]; function is an aside such as '(no Python frame)'
             where there is none, file '' and line 0 are unknown, name is 'function file:line'
    parent   per node, -1 at the top; a parent stands before its children
    frame    per node, a number of frames
    values   {column of VALUES: an integer per node}, self values
    order    nodes depth first: parents before children, the heaviest subtree first
    basis    how the figures came about, in words
    """

    def __init__(self, recording):
        p = recording.first
        self.sources = Sources(p.info.get("cwd", ""), p.words("argv"), p.number("start_unix_ns"))
        self.frames, self.parent, self.frame = [], [], []
        self.values = {name: [] for name in VALUES}
        self.samples, self.by_line, self.exact = 0, 0, True
        self._frames, self._nodes = {}, {}
        for process in recording.processes:
            self._add(process)
        del self._frames, self._nodes
        self._arrange()
        self.basis = self._basis(len(recording.processes))

    def _add(self, p):
        sites = p.columns("sites", "file", "function", "line", "flags")
        frames = [self._frame(p, *site) for site in zip(*sites)]
        parents, rows, samples = p.columns("nodes", "parent", "site", "samples")
        figures = [[_sound(v) for v in c] for c in p.columns("nodes", *VALUES)]
        n = min(len(parents), len(figures[0]))
        if not any(any(c[1:]) for c in figures):
            self.by_line += 1
            for frame, *values in zip(frames, *p.columns("sites", *VALUES)):
                if any(values):
                    self._count(self._node(-1, frame), values)
            return
        if p.info.get("mode") != "exact":
            self.exact = False
            self.samples += sum(samples[1:n])
        unknown = None
        nodes = [-1] * n
        if any(c[0] for c in figures):  # at the root itself: bytes whose stack was not had
            self._count(self._node(-1, self._frame(p, 0, 0, 0, 0)), [c[0] for c in figures])
        for i in range(1, n):
            row = rows[i]
            if row < len(frames):
                frame = frames[row]
            else:
                unknown = frame = self._frame(p, 0, 0, 0, 0) if unknown is None else unknown
            parent = parents[i]
            nodes[i] = self._node(nodes[parent] if parent < i else -1, frame)
            self._count(nodes[i], [c[i] for c in figures])

    def _frame(self, p, file, function, line, flags):
        name, file = p.text(function), p.text(file)
        line = max(0, line)
        if why := aside(flags & ~IMPORT):
            name, file, line = ASIDE[why], "", 0
        elif not (file or name):
            name, line = UNKNOWN, 0
        key = name, file, line
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = len(self.frames)
            words = f"{name} {self.sources.place(file, line)}" if file else name
            if file and file[0] != "<":
                file = self.sources.path(file)
            self.frames.append((name, file, line, words))
        return found

    def _node(self, parent, frame):
        key = parent, frame
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = len(self.parent)
            self.parent.append(parent)
            self.frame.append(frame)
            for column in self.values.values():
                column.append(0)
        return found

    def _count(self, node, values):
        for column, value in zip(self.values.values(), values):
            column[node] += value

    def _arrange(self):
        """Order the nodes, and make integers of their values."""
        n = len(self.parent)
        weights = list(self.values["allocated_bytes"])
        children = [[] for _ in range(n + 1)]  # the last: those at the top
        for i in range(n - 1, -1, -1):
            if self.parent[i] >= 0:
                weights[self.parent[i]] += weights[i]
            children[self.parent[i]].append(i)
        for several in children:
            several.sort(key=lambda i: (weights[i], self.frames[self.frame[i]][3]))
        self.order, waiting = [], list(children[-1])
        while waiting:
            i = waiting.pop()
            self.order.append(i)
            waiting += children[i]
        for column in self.values.values():
            total = whole = 0
            for i in self.order:
                total += column[i]
                rounded = round(total)
                column[i] = rounded - whole
                whole = rounded

    def _basis(self, processes):
        if self.by_line == processes:
            return "exact, by line: no stack was sampled"
        words = "exact"
        if not self.exact:
            words = f"estimated from {count(self.samples)} sampled stack{'s' * (self.samples != 1)}"
        if self.by_line:
            words += f"; {count(self.by_line)} of {count(processes)} processes by line, without any"
        return words


def _sound(value):
    return value if 0 <= value <= MOST else 0  # False for nan, too


# -- speedscope ----------------------------------------------------------------------------------


def as_speedscope(recording, stacks, metric):
    """Evented profiles: their size follows the nodes, however deep the stacks are."""
    import json

    frames = []
    for _, file, line, name in stacks.frames:
        frame = {"name": name}
        if file:
            frame["file"] = file
        if line:
            frame["line"] = line
        frames.append(frame)
    profiles = []
    for column, words in METRICS.values():
        events, total = _events(stacks, stacks.values[column])
        profiles.append(
            {
                "type": "evented",
                "name": f"{words} ({stacks.basis})",
                "unit": "bytes",
                "startValue": 0,
                "endValue": total,
                "events": events,
            }
        )
    file = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": f"memsure {_version()}",
        "name": _title(recording),
        "activeProfileIndex": list(METRICS).index(metric),
        "shared": {"frames": frames},
        "profiles": profiles,
    }
    return json.dumps(file, ensure_ascii=False, separators=(",", ":")).encode()


def _events(stacks, values):
    """Open and close events of the nodes that weigh something -> ([event], total)."""
    weighs = [False] * len(values)
    for i in reversed(stacks.order):
        if weighs[i] or values[i]:
            weighs[i] = True
            if stacks.parent[i] >= 0:
                weighs[stacks.parent[i]] = True
    events, opened, at = [], [], 0

    def close():
        events.append({"type": "C", "frame": stacks.frame[opened.pop()], "at": at})

    for i in stacks.order:
        if not weighs[i]:
            continue
        while opened and opened[-1] != stacks.parent[i]:
            close()
        opened.append(i)
        events.append({"type": "O", "frame": stacks.frame[i], "at": at})
        at += values[i]
    while opened:
        close()
    return events, at


# -- pprof ---------------------------------------------------------------------------------------


def as_pprof(recording, stacks, metric):
    """profile.proto of github.com/google/pprof, field by field."""
    import gzip

    strings = {"": 0}

    def text(s):
        return strings.setdefault(s, len(strings))

    types = (
        ("alloc_objects", "count", "allocated_blocks"),
        ("alloc_space", "bytes", "allocated_bytes"),
        ("inuse_objects", "count", "live_blocks"),
        ("inuse_space", "bytes", "live_bytes"),
        ("peak_space", "bytes", "peak_bytes"),
    )
    out = bytearray()
    for name, unit, _ in types:
        out += _message(1, _number(1, text(name)) + _number(2, text(unit)))

    # A sample's locations begin at the leaf: a node's are its own and then its parent's.
    paths, columns = [b""] * len(stacks.parent), [stacks.values[c] for _, _, c in types]
    for i in stacks.order:
        above = paths[stacks.parent[i]] if stacks.parent[i] >= 0 else b""
        paths[i] = _varint(stacks.frame[i] + 1) + above
        values = [c[i] for c in columns]
        if any(values):
            out += _message(2, _message(1, paths[i]) + _message(2, b"".join(map(_varint, values))))

    info = recording.first.info
    program = info.get("command") or os.path.basename(info.get("executable", "")) or "python"
    out += _message(
        3, _number(1, 1) + _number(5, text(program)) + b"".join(_number(k, 1) for k in (7, 8, 9))
    )
    functions, names = {}, _function_names(stacks)
    for i, (function, file, line, _) in enumerate(stacks.frames):
        number = functions.setdefault((function, file), len(functions) + 1)
        place = _message(4, _number(1, number) + _number(2, line))
        out += _message(4, _number(1, i + 1) + _number(2, 1) + place)
    for (function, file), number in functions.items():
        # without a system_name: where both are the same, pprof takes <module> for C++
        name, place = text(names[function, file]), text(file)
        out += _message(5, _number(1, number) + _number(2, name) + _number(4, place))
    comments = (_title(recording), f"memsure {_version()}", stacks.basis)
    sampled = not stacks.exact
    rest = (
        _number(9, min(p.number("start_unix_ns") for p in recording.processes))
        + _number(10, recording.duration_ns)
        + _message(11, _number(1, text("space")) + _number(2, text("bytes")))
        + _number(12, max(1, recording.first.number("sample_bytes")) if sampled else 1)
        + b"".join(_number(13, text(s)) for s in comments)
        + _number(14, text(next(name for name, _, c in types if c == METRICS[metric][0])))
    )
    for s in strings:
        out += _message(6, s.encode())
    return gzip.compress(out + rest, 6, mtime=0)


def _function_names(stacks):
    """{(function, file): what pprof calls it}. pprof adds up functions of one name: where several
    files have it, as they all have <module>, the file's name is part of it."""
    files = {}
    for function, file, _, _ in stacks.frames:
        files.setdefault(function, set()).add(file)
    out = {}
    for function, several in files.items():
        for file in several:
            alone = len(several) == 1 and not function.startswith("<") or not file
            out[function, file] = (
                function if alone else f"{function} {stacks.sources.place(file)}"
            )
    return out


def _varint(n):
    if n < 0x80:
        return bytes((n,)) if n > 0 else b"\0"
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def _number(field, n):
    """A varint field; 0 is what a missing one means."""
    return _varint(field << 3) + _varint(n) if n > 0 else b""


def _message(field, data):
    return _varint(field << 3 | 2) + _varint(len(data)) + data


# -- collapsed -----------------------------------------------------------------------------------


def as_collapsed(recording, stacks, metric):
    """'outer;inner;leaf bytes'. The format has no escapes: what divides is replaced in names."""
    names = [
        "".join(":" if c == ";" else c if c.isprintable() else "?" for c in frame[3])
        for frame in stacks.frames
    ]
    values = stacks.values[METRICS[metric][0]]
    paths, out = [""] * len(stacks.parent), []
    for i in stacks.order:
        parent = stacks.parent[i]
        paths[i] = (paths[parent] + ";" if parent >= 0 else "") + names[stacks.frame[i]]
        if values[i]:
            out.append(f"{paths[i]} {values[i]}\n")
    return "".join(out).encode()


# -- csv -----------------------------------------------------------------------------------------

COUNTERS = (*SITE_METRICS, "inherited_blocks", "inherited_bytes")
LIFETIMES = tuple(f"lifetime_{0 if k == 0 else 1 << k - 1}" for k in range(12))


def as_csv(recording, metric):
    """RFC 4180: a header, CRLF, quotes where needed. The lines with the most come first."""
    import csv
    import io

    p = recording.first
    sources = Sources(p.info.get("cwd", ""), p.words("argv"), p.number("start_unix_ns"))
    lines, rows = recording.lines, {}
    lifetimes = [[0] * 12 for _ in range(len(lines))]
    for process, group in zip(recording.processes, lines.group):
        ages = process.column("sites", "lifetimes")
        if process.width("sites", "lifetimes") == 12:
            for k in range(12):
                for g, n in zip(group, ages[k::12]):
                    lifetimes[g][k] += n
    counters = [lines[name] for name in COUNTERS]
    for i in range(len(lines)):
        code = aside(lines.flags(i) & ~IMPORT) or sources.kind(lines.file(i))
        key = lines.file(i), lines.line(i), lines.function(i), code
        figures = [c[i] for c in counters] + lifetimes[i]
        known = rows.get(key)
        rows[key] = figures if known is None else [a + b for a, b in zip(known, figures)]
    first = COUNTERS.index(METRICS[metric][0])
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(("file", "line", "function", "code", *COUNTERS, *LIFETIMES))
    for key, figures in sorted(rows.items(), key=lambda row: (-row[1][first], row[0])):
        table.writerow((*key, *figures))
    return out.getvalue().encode()


# -- words ---------------------------------------------------------------------------------------


def _version():
    from . import __version__

    return __version__


def _title(recording):
    """'app.py · CPython 3.13.0', and of how many processes."""
    info = recording.first.info
    words = [info.get("command") or "python", f"CPython {info.get('python', '?')}"]
    if len(recording.processes) > 1:
        words.append(f"{count(len(recording.processes))} processes")
    return " · ".join(words)


WRITERS = {"speedscope": as_speedscope, "pprof": as_pprof, "collapsed": as_collapsed}
