"""A recording, read: one file or a session folder, and its figures by line.

`_core.File` gives typed columns without copying them; this module joins what belongs together and
adds up, in whole-column operations, only the figures that are asked for (a report needs six of
twenty).

    Recording            what `memsure run` wrote: one Process, or several of one session
      .processes         [Process], parent first
      .lines             Lines: rows of all processes grouped by file, line, function and flags
      .lines[metric]     one exact integer per group, e.g. lines["peak_bytes"]
      .warnings()        [(what, shown)] of what could not be read

A Process also gives its info, timeline, memory sums, curves and collections. A damaged file yields
empty columns, never an exception; what is damaged is in warnings(). All integers stay integers.
"""

import os
from array import array
from itertools import pairwise

from . import _core

NO_FRAME, OURS, IMPORT, BEFORE = 1, 2, 4, 8  # sites.flags
MAGIC = b"MEMSURE"
RECORD = "memsure run app.py"
LEAST_BLOCKS = 500
LATEST = 1 << 60  # ns: 36 years; a later time in a file is damage


def aside(flags):
    """'memsure', 'before', 'none' (no Python frame), 'import', or '' of an ordinary line."""
    return "memsure" if flags & OURS else "before" if flags & BEFORE else "none" if flags & NO_FRAME else "import" if flags & IMPORT else ""


class Unreadable(Exception):
    """A recording cannot be read: one clear sentence, and a command to try (or None)."""

    def __init__(self, sentence, hint=None):
        super().__init__(sentence)
        self.hint = hint


class Process:
    """One process's file."""

    def __init__(self, file, path, errors=()):
        self.file = file
        self.path = path
        self._errors = errors
        self._texts = {}
        offsets = self.column("strings", "offsets")
        self._offsets = offsets
        self._data = self.column("strings", "data")
        self.info = {}
        for key, value in zip(*self.columns("info", "key", "value")):
            self.info[self.text(key)] = self.text(value)

    def column(self, table, name):
        """A column as a sequence of numbers; empty where the file has none, or a damaged one
        (file.damage then says so)."""
        if name in self.file.tables.get(table, ()):
            try:
                return self.file.column(table, name)
            except self._errors:
                pass
        return ()

    def columns(self, table, *names):
        """Several columns of one table, equally long: in a damaged file the shortest decides."""
        found = [self.column(table, name) for name in names]
        n = min(map(len, found))
        return [c if len(c) == n else c[:n] for c in found]

    def width(self, table, name):
        """How many values a row of this column has."""
        columns = self.file.tables.get(table, {})
        return columns[name][2] if name in columns else 0

    def text(self, row):
        """A row of the strings table."""
        found = self._texts.get(row)
        if found is None:
            try:
                found = bytes(self._data[self._offsets[row] : self._offsets[row + 1]]).decode(
                    "utf-8", "replace"
                )
            except (IndexError, ValueError):
                found = ""
            self._texts[row] = found
        return found

    def number(self, key, default=0):
        """An info value as an integer."""
        try:
            return int(self.info.get(key, default))
        except ValueError:
            return default

    def words(self, key):
        """An info value that is a JSON list of texts."""
        value = self.info.get(key, "")
        if not value or value == "[]":
            return []
        import json

        try:
            return [str(v) for v in json.loads(value)]
        except ValueError:
            return []

    @property
    def duration_ns(self):
        return self.number("duration_ns")

    @property
    def unrecorded(self):
        """Whether Python used another allocator than memsure's: PYTHONMALLOC and -X dev exchange it
        before the first object is made. A CPython makes 20,000 blocks until it runs a program."""
        if self.info.get("started", "preload") != "preload":
            return False
        told = {"-V", "-VV", "--version", "-h", "-?", "--help", "--help-env", "--help-xoptions"}
        return self.number("allocated_blocks") < LEAST_BLOCKS and not told & set(self.words("argv"))

    @property
    def complete(self):
        return self.info.get("complete", "1") == "1"

    def memory(self, moment):
        """What RSS is made of at 'end' or 'peak' -> {kind: bytes}."""
        out = {}
        for m, k, b in zip(
            self.column("memory", "moment"),
            self.column("memory", "kind"),
            self.column("memory", "bytes"),
        ):
            if self.text(m) == moment:
                kind = self.text(k)
                out[kind] = out.get(kind, 0) + b
        return out

    def timeline(self, name):
        """A column over time -> ([t_ns], [values]); samples at impossible times are left out."""
        times, values = self.columns("timeline", "t_ns", name)
        if all(a <= b for a, b in pairwise(times)) and (not len(times) or times[-1] <= LATEST):
            return list(times), list(values)
        out, last = [], 0
        for t, v in zip(times, values):
            if last <= t <= LATEST:
                out.append((t, v))
                last = t
        return [t for t, _ in out], [v for _, v in out]


class Lines:
    """Rows of `sites` grouped by file, line, function and whether it was import time; totals by
    metric, made when asked for."""

    def __init__(self, processes):
        self.processes = processes
        self._names = None  # where there are several processes: the texts that keys have the numbers of
        self._totals = {}
        ids, columns = {}, []
        if len(processes) > 1:
            self._names = []
        for p in processes:
            files, lines, functions, flags = p.columns("sites", "file", "line", "function", "flags")
            if self._names is not None:  # bring the processes' string rows together
                known = {}

                def shared(row, p=p, known=known):
                    found = known.get(row)
                    if found is None:
                        word = p.text(row)
                        found = ids.get(word)
                        if found is None:
                            found = ids[word] = len(self._names)
                            self._names.append(word)
                        known[row] = found
                    return found

                files, functions = list(map(shared, files)), list(map(shared, functions))
            columns.append(tuple(_words(column) for column in (files, lines, functions, flags)))
        self.keys, groups = _core.lines(columns)
        self.group = []  # per process: array, row of sites -> group
        for group in groups:
            self.group.append(array("I"))
            self.group[-1].frombytes(group)

    def __len__(self):
        return len(self.keys)

    def name(self, row):
        """The text of a file's or function's id, as in keys."""
        return self.processes[0].text(row) if self._names is None else self._names[row]

    def named(self, name):
        """The ids of functions of this name."""
        ids = {key[2] for key in self.keys}
        if self._names is None:
            offsets, length = self.processes[0]._offsets, len(name.encode())
            ids = {i for i in ids if i + 1 < len(offsets) and offsets[i + 1] - offsets[i] == length}
        return {i for i in ids if self.name(i) == name}

    def file(self, i):
        return self.name(self.keys[i][0])

    def line(self, i):
        return self.keys[i][1]

    def function(self, i):
        return self.name(self.keys[i][2])

    def flags(self, i):
        return self.keys[i][3]

    def __getitem__(self, metric):
        """Exact totals per group, e.g. lines['live_bytes']."""
        found = self._totals.get(metric)
        if found is None:
            found = self._totals[metric] = [0] * len(self.keys)
            for p, group in zip(self.processes, self.group):
                column = p.column("sites", metric)
                if (
                    len(column) == len(group) == len(self.keys)
                ):  # each row its own line: nothing to add
                    for g, value in zip(group, column):
                        found[g] = value
                else:
                    for g, value in zip(group, column):
                        if value:
                            found[g] += value
        return found

    def rows(self, i):
        """The rows of sites that a group consists of -> [(process, row)]."""
        out = []
        for p, group in zip(self.processes, self.group):
            at = -1
            try:
                while True:
                    at = group.index(i, at + 1)
                    out.append((p, at))
            except ValueError:
                pass
        return out

    def top(self, metric, n, which=None):
        """The n groups with the most of a metric (zero left out), greatest first; `which` filters
        by group number."""
        values = self[metric]
        wanted = (i for i, v in enumerate(values) if v)
        if n >= 64 or which is not None:
            order = sorted(wanted, key=values.__getitem__, reverse=True)
            if which is None:
                return order[:n]
            out = []
            for i in order:
                if which(i):
                    out.append(i)
                    if len(out) == n:
                        break
            return out
        from heapq import nlargest

        return nlargest(n, wanted, key=values.__getitem__)


def _words(column):
    """A column as numbers of 32 bits."""
    if isinstance(column, memoryview) and column.itemsize == 4:
        return column
    return array("I", [int(value) & 0xFFFFFFFF for value in column])


class Recording:
    """One or several processes of a session, as one."""

    def __init__(self, processes, path, warnings=()):
        self.processes = processes
        self.path = path
        self._unread = list(warnings)
        self._lines = None

    @property
    def damaged(self):
        """Whether some of what was written cannot be read. Columns are checked as they are read: ask last."""
        return any(p.file.damage for p in self.processes)

    def warnings(self):
        """What could not be read -> [(sentence, what is shown or None)]. Columns are checked as
        they are read: ask last."""
        out = list(self._unread)
        for p in self.processes:
            if p.file.damage:
                out.append((_sentence(p.path, p.file.damage), _whole_until(p)))
            elif not p.complete:
                why = p.info.get("incomplete_why") or "the program's end was not seen"
                out.append((f"{os.path.basename(p.path)} ends early: {why}", _whole_until(p)))
        return out

    @property
    def first(self):
        return self.processes[0]

    @property
    def lines(self):
        if self._lines is None:
            self._lines = Lines(self.processes)
        return self._lines

    def total(self, key):
        """The sum of an info number over the processes."""
        return sum(p.number(key) for p in self.processes)

    @property
    def duration_ns(self):
        """From the first process's start to the last one's end."""
        if len(self.processes) == 1:
            return self.first.duration_ns
        starts = [p.number("start_unix_ns") for p in self.processes]
        return max(s + p.duration_ns for s, p in zip(starts, self.processes)) - min(starts)

    def timeline(self, name, points=240):
        """A timeline column over the whole session -> ([t_ns], [values]); several processes are
        added up over time."""
        if len(self.processes) == 1:
            return self.first.timeline(name)
        start = min(p.number("start_unix_ns") for p in self.processes)
        span = max(1, self.duration_ns)
        total = [0] * points
        for p in self.processes:
            times, values = p.timeline(name)
            if not times:
                continue
            shift = p.number("start_unix_ns") - start
            first = min(points - 1, (times[0] + shift) * points // span)
            last = min(points - 1, (times[-1] + shift) * points // span)
            seen = [0] * (last - first + 1)
            for t, v in zip(times, values):
                at = min(last, max(first, (t + shift) * points // span)) - first
                seen[at] = max(seen[at], v)
            held = seen[0]
            for i, v in enumerate(seen):
                held = v or held
                total[first + i] += held
        return [(i + 1) * span // points for i in range(points)], total

    def memory(self, moment):
        """What RSS is made of, all processes together -> {kind: bytes}."""
        out = {}
        for p in self.processes:
            for kind, n in p.memory(moment).items():
                out[kind] = out.get(kind, 0) + n
        return out

    def only(self, pid):
        """The same recording with one process alone."""
        chosen = [p for p in self.processes if p.number("pid") == pid]
        if not chosen:
            known = ", ".join(str(p.number("pid")) for p in self.processes[:8])
            more = len(self.processes) - 8
            raise Unreadable(
                f"{self.path} has no process {pid}; it has {known}"
                + (f" and {more} more" if more > 0 else ""),
                f"memsure report {self.path} --process {self.first.number('pid')}",
            )
        return Recording(chosen, self.path)


def _whole_until(p):
    times, _ = p.timeline("t_ns")
    last = times[-1] if times else 0
    whole = p.duration_ns
    if last and whole and last < whole:
        return f"everything up to {last / 1e9:.1f} s of {whole / 1e9:.1f} s"
    return f"everything up to {max(last, whole) / 1e9:.1f} s" if last or whole else "what is whole"


def _sentence(path, damage):
    """A damage sentence that names its file."""
    name = os.path.basename(path)
    return damage if name in damage else f"{name}: {damage}"


_KINDS = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x7fELF", "a program"),
    (b"%PDF", "a PDF file"),
    (b"SQLite format 3", "a database"),
    (b"memray", "a recording of memray"),
    (b"\x80\x04", "a pickle"),
    (b"\x89PNG", "a picture"),
)


def foreign(path):
    """What a file that is no recording begins with, as a sentence's end, or None if it may be
    one."""
    try:
        with open(path, "rb") as f:
            head = f.read(16)
    except OSError:
        return None
    if head.upper().startswith(MAGIC):
        return None
    if not head:
        return "it is empty"
    for magic, name in _KINDS:
        if head.startswith(magic):
            shown = magic.decode("ascii", "ignore").strip("\x03\x04\x1f\x7f")
            return f'it begins with "{shown}": {name}' if shown else f"it is {name}"
    try:
        word = head.decode("utf-8").split("\n")[0][:12]
        if word.isprintable():
            return f'it begins with "{word}"'
    except UnicodeDecodeError:
        pass
    return None


def load(path, opener=None):
    """Read a recording file or a session folder. Raises Unreadable with one clear sentence."""
    if opener is None:
        opener, failed = _core.open, _core.Error
    else:
        failed = OSError  # tests bring their own files
    shown = os.fspath(path)
    try:
        names = (
            sorted(n for n in os.listdir(path) if n.endswith(".memsure"))
            if os.path.isdir(path)
            else None
        )
    except OSError as e:
        raise Unreadable(f"cannot read the folder {shown}: {_reason(e)}", f"ls -ld {shown}") from None
    if names is not None:
        files = [os.path.join(path, n) for n in names]
        if not files:
            raise Unreadable(f"{shown} holds no recordings", RECORD)
    elif not os.path.exists(path):
        raise Unreadable(f"'{shown}' does not exist", instead(shown))
    else:
        files = [path]
    processes, warnings, last = [], [], None
    for name in files:
        try:
            processes.append(Process(opener(name), name, (failed, OSError)))
        except (failed, OSError) as e:
            sentence = _reason(e) if isinstance(e, OSError) and e.strerror else str(e)
            why = foreign(name)
            base = os.path.basename(name) if names is not None else os.fspath(name)
            hint = None
            if why:
                sentence, hint = f"{base} is not a memsure file ({why})", instead(name)
            elif base not in sentence:
                sentence = f"cannot read {base}: {sentence}"
            last = Unreadable(sentence, hint or RECORD)
            warnings.append((sentence, None))
    for p in list(processes):
        if p.file.damage and not p.info:  # neither what ran nor what it did
            processes.remove(p)
            last = Unreadable(f"nothing that could be shown is whole: {_sentence(p.path, p.file.damage)}", RECORD)
            warnings.append((str(last), None))
    if not processes:
        if len(files) > 1:
            raise Unreadable(
                f"none of the {len(files)} recordings in {shown} can be read; "
                f"the first: {warnings[0][0]}",
                RECORD,
            )
        raise last
    processes.sort(key=lambda p: (p.number("start_unix_ns"), p.number("pid")))
    return Recording(processes, shown, warnings)


def _reason(e):
    return e.strerror.lower() if e.strerror else str(e)


def nearest(path):
    """A command that names the recording that was perhaps meant, or None."""
    folder = os.path.dirname(path) or "."
    try:
        names = [n for n in os.listdir(folder) if n.endswith(".memsure") and n != os.path.basename(path)]
    except OSError:
        return None
    if not names:
        return None
    from difflib import get_close_matches

    stems = [n[:-8] for n in names]
    close = get_close_matches(os.path.basename(path).removesuffix(".memsure"), stems, 1, 0.6)
    if not close:
        return None
    return f"memsure report {os.path.normpath(os.path.join(folder, close[0] + '.memsure'))}"


def instead(path):
    """A command for who named a file that is no recording: another one of its folder, by its name or the newest; or how to make one."""
    if path.endswith(".py"):
        return f"memsure run {path}"
    close = nearest(path)
    if close:
        return close
    folder = os.path.dirname(path)
    try:
        there = [e for e in os.scandir(folder or ".") if e.name.endswith(".memsure") and e.name != os.path.basename(path) and (e.is_dir() or e.stat().st_size)]
        newest = max(there, key=lambda e: e.stat().st_mtime, default=None)
    except OSError:
        newest = None
    return f"memsure report {os.path.normpath(os.path.join(folder, newest.name))}" if newest else RECORD
