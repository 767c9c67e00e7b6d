"""The report: what is wrong, which line, the evidence, and what the run was made of.

    header      program · CPython · duration · allocations
    verdict     one word, one sentence with a number, the line
    entry       the first finding in full: source line, caret, evidence; the others a line each
    table       the top lines by live at the peak, growth, temporaries, collector work
    RSS         over time; what it is made of at the end and at the peak (rows that add up)
    cost        of the recording, and what was not seen (only where not zero)
    next:       commands to copy

`render()` lays it out on a Paper; `data()` gives the same as JSON (schema 1, docs/REPORT.md);
`annotated()` a source file with figures. The words and figures of all three come from the same
judgement.
"""

import os

from . import text, verdict, words
from .source import LIBRARY, OWN, STANDARD, Sources, marked
from .text import NBSP, change, count, percent, seconds, size

METRICS = {  # --sort -> (column of sites, heading)
    "peak": ("peak_bytes", "live at peak"),
    "growth": (None, "grows"),
    "temporary": ("temporary_bytes", "temporary"),
    "gc": ("gc_freed_bytes", "collector"),
    "allocated": ("allocated_bytes", "allocated"),
    "live": ("live_bytes", "live at end"),
}
KINDS = (
    ("python_live", "Python live"),
    ("slab_holes", "slab holes"),
    ("memsure", "memsure"),
    ("native_live", "native live"),
    ("native_free", "native free"),
    ("files", "files"),
    ("stacks", "stacks"),
    ("shared", "shared"),
    ("unaccounted", "unaccounted"),
)
ASIDE = {
    "import": "imports",
    "none": "(no Python frame)",
    "before": "(before Python started)",
    "memsure": "(memsure itself)",
}
LEAST = 1 << 20  # a line below this is not worth a row of temporaries or collector work
MOST_HELD = 2_000_000  # objects: looking for the holders of more takes longer than a report may
LEAST_HELD = 0.02  # of all: a smaller holder is not worth a row
MOST_OF = 0.8  # what has nearly all of its holder's is told in its place
WIDE = 110  # columns from which a heading has the trend, and a line of the others what its repair saves
COST_TOLD = 100e6  # ns: a lower cost is said as a time, whatever share it is
IMPORT_SYSTEM = "<frozen importlib"  # the files that load others
IMPORT_SAMPLES = 16  # from so many samples on they are told apart by who imports
CPU_TOLD = 1e9  # ns: of less CPU time, no share is said
COLORS = {
    "leak": "red", "not yours": "yellow", "retention": "yellow", "allocator": "yellow", "cyclic": "yellow", "churn": "yellow",
    "healthy": "green", "unrecorded": "yellow",
}  # fmt: skip


class Report:
    """A recording, judged, with what layouts share."""

    def __init__(self, recording):
        self.recording = recording
        p = recording.first
        self.process = p
        self.lines = recording.lines
        self.sources = Sources(p.info.get("cwd", ""), p.words("argv"), p.number("start_unix_ns"))
        self.judged = verdict.judge(recording, self.sources)

    # -- words that all layouts share

    def place(self, i):
        why = self.judged.baseline[i]
        if why and why != "import":
            return ASIDE[why]
        return self.sources.place(self.lines.file(i), self.lines.line(i))

    def whose(self, i):
        return self.sources.kind(self.lines.file(i))

    def where(self, i):
        """'shop/cache.py:24 in load'"""
        function = self.lines.function(i)
        return f"{self.place(i)}{f' in {function}' if function and function != '<module>' else ''}"

    def program(self):
        return (
            self.process.info.get("command")
            or os.path.basename(self.process.info.get("executable", ""))
            or "program"
        )

    def verdict_text(self):
        """The verdict's sentence and the line below it."""
        j = self.judged
        if not j.findings:
            if j.spread:
                p, s = j.spread
                return (
                    f"{words.rate(p, s)}, spread over many lines",
                    "no line rises steadily by "
                    f"{100 * verdict.GROWTH_SHARE:.0f}{NBSP}% of what is live",
                )
            if j.kind == "unrecorded":
                if self.recording.damaged:
                    return "nothing was found in what is whole of this file", ""
                return (
                    "Python used another allocator (PYTHONMALLOC, PYTHONDEVMODE or -X dev): "
                    "run it without",
                    "",
                )
            return self._healthy()
        f = j.findings[0]
        who = f" (process {f.process.number('pid')})" if len(self.recording.processes) > 1 else ""
        return words.verdict(self, f, who)

    def collected(self, f):
        return sum(f.process.column("sites", "gc_freed_bytes"))

    def _healthy(self):
        p = self.process
        checked = "no line grows, churns or waits for the collector"
        if not self.judged.judged_growth:
            checked = "no line churns or waits for the collector; too short to judge growth"
        if len(self.recording.processes) > 1:
            return f"{len(self.recording.processes)} processes; {checked}", ""
        times, values = p.timeline("python_bytes")
        span = self.judged.windows[0]
        if span and len(times) >= 4:
            inside = [(t, v) for t, v in zip(times, values) if t / 1e9 <= span[1]]
            if inside:
                level, since = inside[-1][1], inside[-1][0]
                for t, v in reversed(inside):
                    if abs(v - level) > verdict.FLAT * level:
                        break
                    since = t
                if since / 1e9 <= span[0] + (span[1] - span[0]) / 2:
                    return f"flat at {size(level)} alive since {seconds(since / 1e9, 1)}; {checked}", ""
        return (
            f"at most {size(p.number('peak_bytes'))} alive, "
            f"at {seconds(p.number('peak_t_ns') / 1e9, 1)}; {checked}",
            "",
        )

    def of(self, f, metric):
        """A finding's line in its process alone: the sum of a metric."""
        column = f.process.column("sites", metric)
        rows = (row for p, row in self.lines.rows(f.measured) if p is f.process)
        return sum(column[row] for row in rows if row < len(column))

    def released(self, f):
        """Whether most of what grew was freed before the end."""
        return 2 * self.of(f, "live_bytes") < f.bytes

    def caller(self, f):
        """The nearest other function of the user's own code above a line, by the (sampled) stacks
        -> (group, share) or None."""
        weight = "live_bytes" if f.verdict == "leak" else "allocated_bytes"
        return verdict.caller(self.recording, self.sources, f.process, f.line, weight)

    def marked_site(self, f):
        """The instruction to mark: the pattern's part of the line, or the row of sites that carries
        most of a finding -> (line, column, end_column)."""
        for told in (f.holder, f.pattern):
            if told is not None and told.mark:
                return told.mark
        number = self.lines.line(f.line)
        if f.site is None:
            return number, -1, -1
        lines, ends, starts, stops = f.process.columns("sites", "line", "end_line", "column", "end_column")
        if f.site >= len(lines):
            return number, -1, -1
        return number, starts[f.site], stops[f.site] if ends[f.site] == lines[f.site] else -1

    def marked_function(self, f):
        """The function of the line that is marked, which may be another than the one that was measured."""
        number, measured = self.marked_site(f)[0], self.lines.line(f.line)
        return self.lines.function(f.line) if number == measured else self.sources.function(self.lines.file(f.line), number)

    def marked_place(self, f):
        file, place = self.lines.file(f.line), self.place(f.line)
        alone = place == self.sources.place(file, self.lines.line(f.line))
        return self.sources.place(file, self.marked_site(f)[0]) if alone else place

    def table(self, metric, n, keep=None):
        """The top lines of a metric -> ([(bytes, group or None, words)], base). Import time is one
        row."""
        column = METRICS[metric][0]
        if column is None:
            order = sorted(self.judged.slopes, key=lambda i: -self.judged.slopes[i].rise)
            return [
                (round(self.judged.slopes[i].rise), i, "") for i in order if keep is None or keep(i)
            ][:n], 0
        values, aside = self.lines[column], self.judged.baseline
        base = sum(values)
        folded = 0
        packages = {}
        if keep is None:
            for i, why in enumerate(aside):
                if why == "import" and values[i]:
                    folded += values[i]
                    file = self.lines.keys[i][0]
                    packages[file] = packages.get(file, 0) + values[i]
        which = keep if keep else (lambda i: aside[i] != "import") if folded else None
        rows = [(values[i], i, "") for i in self.lines.top(column, n, which)]
        if folded and (len(rows) < n or folded > rows[-1][0]):
            rows.append((folded, None, self._packages(packages, column)))
            rows.sort(key=lambda r: -r[0])
        return rows[:n], base

    def _packages(self, by_file, column):
        """'pandas ~27.4 MiB, numpy ~4.81 MiB, 95 others'. What the import system itself allocates (the code of modules, mostly)
        counts for the package whose import it was, by the sampled stacks; of too few samples it is just loaded code."""
        by, loaded = {}, 0
        for file, n in by_file.items():
            if self.lines.name(file).startswith(IMPORT_SYSTEM):
                loaded += n
                continue
            name = self.sources.package(self.lines.name(file))
            by[name] = by.get(name, 0) + n
        weight = {"temporary_bytes": "allocated_bytes"}.get(column, column)
        shares, samples = self._importers(weight) if loaded and weight != "gc_freed_bytes" else ({}, 0)
        about = set()
        if samples >= IMPORT_SAMPLES:
            total = sum(shares.values())
            for name, weight in shares.items():
                by[name] = by.get(name, 0) + round(loaded * weight / total)
                about.add(name)
        elif loaded:
            by["loaded code"] = loaded
        sign = "~" if self.process.info.get("mode") != "exact" else ""
        order = sorted(by, key=by.get, reverse=True)
        shown = [f"{name} {sign * (name in about)}{size(by[name])}" for name in order[:2]]
        if len(order) > 2:
            shown.append(f"{len(order) - 2} other{'s' if len(order) > 3 else ''}")
        return ", ".join(shown)

    def _importers(self, weight):
        """For which packages the import system allocated, by the stacks -> ({package: weight}, samples)."""
        lines, by, samples = self.lines, {}, 0
        system = {file for file in {key[0] for key in lines.keys} if lines.name(file).startswith(IMPORT_SYSTEM)}
        for p, group in zip(self.recording.processes, lines.group):
            files = [lines.keys[g][0] for g in group]
            sites, parents, counts, weights = p.columns("nodes", "site", "parent", "samples", weight)
            if max(sites, default=0) >= len(files):  # damaged
                continue
            for node, site in enumerate(sites):
                if files[site] not in system or not 0 < weights[node] < 1e18:
                    continue
                at = node
                while 0 < parents[at] < at and files[sites[at]] in system:
                    at = parents[at]
                name = lines.name(files[sites[at]])
                if name and files[sites[at]] not in system:
                    name = self.sources.package(name)
                    by[name] = by.get(name, 0.0) + weights[node]
                    samples += counts[node]
        return by, samples

    def when_it_cost(self):
        """', mostly of start-up' where most blocks were made by imports and the interpreter."""
        blocks, aside = self.lines["allocated_blocks"], self.judged.baseline
        start = sum(n for n, why in zip(blocks, aside) if why)
        return ", mostly of start-up" if 2 * start > sum(blocks) else ""

    def unseen(self):
        """What the recording did not see -> [words]."""
        out = []
        blocks = self.recording.total("unrecorded_blocks")
        if blocks:
            out.append(f"{count(blocks)} blocks (no memory for their record)")
        before = self.recording.total("before_blocks")
        if before:
            out.append(f"{count(before)} blocks from before memsure")
        types = []
        for p in self.recording.processes:
            types += [t for t in p.words("undercounted") if t not in types]
        silent = [p for p in self.recording.processes if p.unrecorded]
        if silent and len(silent) < len(self.recording.processes):
            pids = ", ".join(str(p.number("pid")) for p in silent[:4])
            more = f" and {len(silent) - 4} more" if len(silent) > 4 else ""
            out.append(
                f"all of process{'es' if len(silent) > 1 else ''} {pids}{more} "
                "(another allocator: PYTHONMALLOC or -X dev)"
            )
        if types:
            out.append(f"reused {', '.join(types)} objects (free lists)")
        if any(p.info.get("sealed") == "1" for p in self.recording.processes):
            out.append("snapshots and forks of a process that had restricted its system calls (seccomp)")
        for p in self.recording.processes:
            if note := p.info.get("snapshot_note"):
                of = f" of process {p.number('pid')}" if len(self.recording.processes) > 1 else ""
                out.append(f"a snapshot{of} ({note})")
                break  # the others are much the same
        return out


# -- layout --------------------------------------------------------------------------------------


def render(recording, paper, show=1, all_=False, sort=None, filter_=None):
    """The report as a text."""
    r = Report(recording)
    out = []
    _header(r, paper, out)
    _verdict(r, paper, out)
    if sort or filter_:
        _sorted_table(r, paper, out, sort or "peak", filter_, all_)
    else:
        _findings(r, paper, out, 10**9 if all_ else show, all_)
        if all_ or not r.judged.findings and not _holders(r, paper, out):
            _tables(r, paper, out, all_)
        _rss(r, paper, out, all_)
        _cost(r, paper, out)
        _next(r, paper, out, all_)
    return paper.finish(_warnings(recording, paper) + out)


def _warnings(recording, paper):
    out = []
    for sentence, shown in recording.warnings():
        out += paper.wrap(paper.paint("warning:", "yellow") + " " + paper.fix(sentence), rest="  ")
        if shown:
            out += paper.wrap(paper.fix(shown), first="  shown: ")
    return out + [""] if out else out


def _header(r, paper, out):
    p, rec = r.process, r.recording
    parts = [r.program(), f"CPython{NBSP}{p.info.get('python', '?')}"]
    if len(rec.processes) > 1:
        parts.append(f"{count(len(rec.processes))}{NBSP}processes")
    parts += [
        seconds(rec.duration_ns / 1e9),
        f"{count(rec.total('allocated_blocks'))}{NBSP}allocations",
    ]
    if p.info.get("mode") == "exact":
        parts.append("exact")
    ended = _ended(p)
    if ended:
        parts.append(ended)
    lines = paper.wrap(" · ".join(paper.fix(x) for x in parts), first="memsure  ")
    out += [paper.paint(line, "dim") for line in lines] + [""]


def _ended(p):
    """How the program ended, where that is not plain success."""
    kind, code = p.info.get("exit_kind", "exit"), p.number("exit_code")
    if kind == "signal":
        import signal

        if code == signal.SIGINT:
            return "stopped by Ctrl-C (SIGINT)"
        try:
            return f"killed by {signal.Signals(code).name}"
        except ValueError:
            return f"killed by signal {code}"
    if kind == "exit" and code:
        return f"exit status {code}"
    if kind == "running":
        return "still running"
    return ""


def _verdict(r, paper, out):
    first, second = r.verdict_text()
    kind = r.judged.kind
    head = f"{kind}: "
    lines = paper.wrap(paper.fix(first), first=head)
    lines[0] = paper.paint(f"{kind}:", COLORS[kind], "bold") + lines[0][len(kind) + 1 :]
    if second:
        lines += paper.wrap(paper.fix(second), first=" " * len(head))
    out += lines + [""]


def _findings(r, paper, out, show, all_):
    found = r.judged.findings
    if not found:
        return
    full = [
        f
        for n, f in enumerate(found)
        if n < show
        or n == 1
        and show == 1
        and 3 * f.bytes >= found[0].bytes
        and f.rule != found[0].rule
    ]
    if len(full) > show and not all_:
        full = full[: max(show, 1)]
    for f in full:
        _entry(r, paper, out, f)
    rest = found[len(full) :]
    limit = len(rest) if all_ else 3
    wider = paper.width >= WIDE and any(words.saves_bytes(f) for f in rest[:limit])
    if wider:
        head = f" {'':<3} {'bytes':>8}  {'where':<24}  {'what':<{paper.width - 52}} fix saves"
        out.append(paper.paint(head, "dim"))
    for f in rest[:limit]:
        place = paper.fix(r.marked_place(f) if f.line is not None else "the process")
        at = paper.cut_front(place, 24)
        start = f" {paper.left(f.rule, 3)} {paper.right(size(f.bytes), 8)}  "
        tail = "  " + words.short(r, f)
        wide = min(24, max(12, paper.width // 3))
        room = max(8, paper.width - text.cells(start) - max(text.cells(at), wide) - 12 * wider)
        tail = paper.cut(paper.sign(tail), room)
        if wider and words.saves_bytes(f):
            tail = paper.left(tail, room) + paper.right(size(words.saves_bytes(f)), 12)
        out.append(start + paper.paint(paper.left(at, wide), "cyan") + tail)
    if len(rest) > limit:
        out.append(paper.paint(f"           {len(rest) - limit} more: --all", "dim"))
    if rest:
        out.append("")


def _entry(r, paper, out, f):
    amount = words.amount(f)
    rate = f"{words.rate(f.process, f.slope)}   " if f.slope and paper.width >= WIDE else ""
    head = paper.between(f"{paper.left(f.rule, 3)} {words.title(f)}", rate + amount)
    if len(head) == 1:
        head[0] = head[0][: -len(amount)] + paper.paint(amount, "bold")
    out += head
    digits = 2
    bar = paper.paint("|", "dim")
    changed = False
    if f.line is not None:
        file = r.lines.file(f.line)
        number, *columns = r.marked_site(f)
        digits = max(2, len(str(number)) if number > 0 else 0, *(len(str(n)) for n, _, _ in words.patch(f)))
        margin = " " * (digits + 2)
        function = paper.fix(r.marked_function(f))
        place = paper.fix(r.marked_place(f))
        shown = paper.paint(place, "cyan")
        tail = f" in {function}" if function and function != "<module>" else ""
        if text.cells(f"  --> {place}{tail}") > paper.width:
            out.append(f"  --> {paper.link(shown, r.sources.path(file), number)}")
            out += paper.wrap(tail.strip(), first="      ") if tail else []
        else:
            out.append(f"  --> {paper.link(shown, r.sources.path(file), number)}{tail}")
        line = r.sources.line(file, number)
        note = paper.sign(paper.fix(words.note(r, f)))
        if line is not None and line.strip():
            body, start, length = marked(line, *columns, paper, paper.width - digits - 4)
            out.append(f" {number:>{digits}} {bar} {body}")
            caret = " " * start + "^" * length
            if digits + 4 + text.cells(caret) + 1 + text.cells(note) <= paper.width:
                out.append(f"{margin}{bar} {paper.paint(caret, COLORS[f.verdict])} {note}")
            else:
                out.append(f"{margin}{bar} {paper.paint(caret, COLORS[f.verdict])}")
                indent = min(start, max(0, paper.width - digits - 4 - text.cells(note)))
                out += paper.wrap(note, first=f"{margin}{bar} {' ' * indent}", rest=f"{margin}{bar} {' ' * indent}")
        elif note:
            out += paper.wrap(note, first=f"{margin}{bar} ", rest=f"{margin}{bar} ")
        out.append(f"{margin}{bar}")
        changed = r.sources.changed(file)
    margin = " " * (digits + 2)

    def fact(name, told):
        if told:
            out.extend(paper.wrap(paper.fix(told), first=f"{margin}= {name:<9} "))

    fact("held by", words.held(f))
    fact("evidence", words.evidence(r, f))
    if f.line is not None and (f.holder is None or r.whose(f.line) != OWN):
        caller = r.caller(f)
        if caller:
            fact("called by", f"{r.where(caller[0])} ({_about(caller[1], r)} of it)")
    if changed:
        fact("note", "the file was changed after the recording")
    fact("surer by", words.sure(f))
    fact("fix", words.where_fix(f) + words.fix(r, f))
    patch = words.patch(f)
    if patch and words.fix(r, f):
        out.append(f"{margin}{bar}")
        indent = min((len(t) - len(t.lstrip()) for _, _, t in patch if t.strip() and not t.startswith(("import ", "from "))), default=0)
        for n, sign, t in patch:
            body = paper.cut(paper.fix(t[min(indent, len(t) - len(t.lstrip())) :].replace("\t", "    ")), max(12, paper.width - digits - 5))
            out.append(f" {n:>{digits}} {paper.paint(f'{sign} {body}', 'green') if sign == '+' else f'{sign} {body}'}")
    fact("saves", words.saves(r, f))
    out.append("")


def _about(share, r):
    exact = r.process.info.get("mode") == "exact"
    return f"{'' if exact else '~'}{percent(round(share * 1000), 1000)}"


def _inmost(step):
    """The part of a holder that has nearly all of it -> (that step, what it is: "dict, 1,204 entries")."""
    while step.count == 1 and step.below and step.below[0].count == 1 and step.below[0].retained >= MOST_OF * step.retained:
        step = step.below[0]
    kind = "" if step.type in (None, "module") else step.type.rpartition(".")[2]
    many = f"{count(step.entries)} entries" if step.entries > 1 and kind in ("dict", "list", "set", "tuple", "deque", "OrderedDict") else ""
    return step, ", ".join(w for w in (kind, many) if w)


def _holders(r, paper, out, most=3):
    """A healthy program's largest holders, where its snapshot tells them -> whether it does."""
    from .recording import Unreadable

    p = r.process
    moments = p.words("snapshots")
    if r.judged.kind != "healthy" or not moments or len(r.recording.processes) > 1:
        return False
    from .snap import Snapshot

    try:
        snap = Snapshot.open(p.path, "exit" if "exit" in moments else "peak")
    except Unreadable:
        return False
    if snap.objects > MOST_HELD:
        return False
    rows, imports = [], 0
    for step in snap.holders(small=False).below:
        if step.path[0].startswith(("sys.modules", "imported code")):
            imports += step.retained
        elif step.path[0].startswith("module "):  # its variables
            rows += [(held.retained, step.path[0][7:] + "".join(held.path[1:]), told) for held, told in map(_inmost, step.below) if held.path[1][:1] == "."]
        else:
            held, told = _inmost(step)
            rows.append((held.retained, "".join(t if n == 0 or t[:1] in ".[" else f" {t}" for n, t in enumerate(held.path)), told))
    rows = sorted([(imports, "imports", ""), *rows], key=lambda row: -row[0])
    rows = [(size(held), *words) for held, *words in rows[:most] if held >= max(LEAST, LEAST_HELD * snap.bytes)]
    if not rows:
        return False
    out.append(paper.paint("largest holders, for information", "dim"))
    wide = min(max(text.cells(paper.fix(words)) for _, words, _ in rows), max(16, paper.width - 40))
    for amount, words, told in rows:
        line = f" {paper.right(amount, 9)}  {paper.left(paper.cut(paper.fix(words), wide), wide)}"
        room = paper.width - text.cells(line) - 2
        out.append((line + "  " + paper.cut(paper.fix(told), room) if told and room >= 6 else line).rstrip())
    out.append("")
    return True


def _tables(r, paper, out, all_):
    """The top lines by four metrics, with what they are parts of below the metric's name."""
    n = 20 if all_ else 3
    groups = []
    for metric in ("peak", "growth", "temporary", "gc"):
        rows, base = r.table(metric, n if metric == "peak" or all_ else 2)

        def shown_here(i, metric=metric):
            ours = i is not None and r.judged.baseline[i] == "memsure"
            return metric == "peak" or not ours

        label = METRICS[metric][1]
        if metric == "growth":
            shown = r.judged.slopes[rows[0][1]] if rows else None
            since = f"since {seconds(shown.start, 1)}" if shown else ""
            rows = [(change(n), "", i, words) for n, i, words in rows]
        else:
            least = 1 if metric == "peak" else LEAST
            rows = [
                (size(n), percent(n, base), i, words)
                for n, i, words in rows
                if n >= least and shown_here(i)
            ]
            since = f"of {size(base)}"
        if rows:
            groups.append((label, since, rows))
    _rows(r, paper, out, groups)
    if groups:
        out.append("")


def _rows(r, paper, out, groups):
    every = [row for _, _, rows in groups for row in rows]
    places = {}
    for _, _, i, _ in every:
        places[i] = paper.fix(r.place(i)) if i is not None else "imports"
    wide = max([text.cells(p) for p in places.values()], default=0)
    narrow = paper.width < 60
    shares = max([5] + [text.cells(share) for _, share, _, _ in every])
    foreign = any(i is not None and r.whose(i) in (LIBRARY, STANDARD) for i in places)
    column = min(wide, max(16, (paper.width - 38) * 3 // 5 if paper.width < 100 else 36))
    functions = paper.width >= 100
    named = (
        {i: paper.fix(r.lines.function(i)) for i in places if i is not None} if functions else {}
    )
    fcolumn = min(20, max([text.cells(f) for f in named.values()], default=0))
    for label, base, rows in groups:
        labels = [label, base] if base else [label]
        for at in range(max(len(rows), len(labels))):
            name = labels[at] if at < len(labels) else ""
            start = f" {paper.left(paper.sign(name), 12)} "
            if at >= len(rows):
                out.append(paper.paint(start, "dim"))
                continue
            amount, share, i, words = rows[at]
            kind = r.whose(i) if i is not None else ""
            place = places[i]
            told = paper.fix(words or r_source(r, i))
            line = (paper.paint(start, "dim") if at else start) + paper.right(paper.sign(amount), 9)
            line += " " + paper.paint(paper.right(share, shares), "dim") + "  "
            whose = (
                paper.left({LIBRARY: "lib", STANDARD: "std"}.get(kind, ""), 3) + " "
                if foreign
                else ""
            )
            link = paper.cut_front(place, column)
            pad = " " * (column - text.cells(link)) if i is not None else ""
            link = paper.paint(link, "cyan") if kind == OWN else link
            if i is not None and r.lines.file(i)[:1] != "<":
                link = paper.link(link, r.sources.path(r.lines.file(i)), r.lines.line(i))
            if narrow:
                out.append(line + whose)
                out.append(
                    "   "
                    + paper.link(
                        paper.paint(paper.cut_front(place, paper.width - 3), "cyan"),
                        r.sources.path(r.lines.file(i)) if i is not None else "",
                    )
                )
                continue
            line += paper.paint(whose, "dim") + link + pad
            if functions and fcolumn and i is not None:
                function = paper.cut(named.get(i, ""), fcolumn)
                line += "  " + paper.left(function, fcolumn)
            room = paper.width - text.cells(line) - 2 if paper.cut_tables else 60
            if room >= 6:
                line += "  " + paper.cut(told, room)
            out.append(line)


def r_source(r, i):
    line = r.sources.line(r.lines.file(i), r.lines.line(i)) if i is not None else None
    return line.strip() if line else ""


def _sorted_table(r, paper, out, sort, filter_, all_):
    keep = None
    n = len(r.lines) if all_ else 20
    if filter_:
        wanted = filter_.lower()
        matched = [i for i in range(len(r.lines)) if wanted in r.where(i).lower()]
        chosen = set(matched)
        keep = chosen.__contains__
        out += paper.wrap(
            f"{count(len(matched))} of {count(len(r.lines))} lines contain '{paper.fix(filter_)}'"
        ) + [""]
        if not matched:
            return
    label = METRICS[sort][1]
    rows, base = r.table(sort, n, keep)
    if sort == "growth":
        shown = [(change(v), "", i, words) for v, i, words in rows]
        since = ""
    else:
        shown = [(size(v), percent(v, base), i, words) for v, i, words in rows]
        since = f"of {size(base)}"
    if not shown:
        out += paper.wrap(f"no line has anything under '{label}'")
        return
    _rows(r, paper, out, [(label, since, shown)])


def _rss(r, paper, out, all_):
    rec = r.recording
    times, values = rec.timeline("rss_bytes")
    peak = rec.total("peak_rss_bytes") if len(rec.processes) == 1 else max(values, default=0)
    if len(values) > 1:
        top = max(range(len(values)), key=values.__getitem__)
        words = f"peak {size(max(peak, values[top]))} at {seconds(times[top] / 1e9)}"
        room = paper.width - text.cells(words) - 7
        out.append(
            "RSS  " + paper.sign(text.bars(_even(times, values), min(room, 60))) + "  " + words
        )
    ends, peaks = rec.memory("end"), rec.memory("peak")
    if ends:
        out += _sum(paper, "RSS" if len(rec.processes) == 1 else "RSS at each end", ends)
    if peaks and (not ends or peaks.get("rss", 0) > 1.1 * ends.get("rss", 0) or all_):
        out += _sum(paper, "RSS at the peak", peaks)
    if len(rec.processes) > 1 and (ends or peaks):
        out += paper.wrap(
            f"(all {len(rec.processes)} processes; pages that they share count in each)"
        )


def _even(times, values, points=240):
    """Values at even times: samples need not be equally far apart."""
    if len(values) <= 2:
        return values
    start, span = times[0], max(1, times[-1] - times[0])
    out = [0] * points
    for t, v in zip(times, values):
        i = min(points - 1, (t - start) * points // span)
        out[i] = max(out[i], v)
    held = values[0]
    for i, v in enumerate(out):
        if v:
            held = v
        else:
            out[i] = held
    return out


def _sum(paper, name, kinds):
    """'RSS 1.79 GiB = Python live 1.30 + ...': rounded so that the rows add up."""
    named = [(label, kinds[k]) for k, label in KINDS if kinds.get(k)]
    known = {k for k, _ in KINDS} | {"rss"}
    named += [(k.replace("_", " "), n) for k, n in kinds.items() if k not in known and n]
    unit, unit_name, decimals = text.sum_unit(sum(n for _, n in named))
    parts, total = text.shares([n for _, n in named], unit, decimals)
    zero = f"{0:.{decimals}f}"
    words = [
        f"{label.replace(' ', NBSP)}{NBSP}{part}"
        for (label, n), part in zip(named, parts)
        if part != zero
    ]
    head = f"{name} {total} {unit_name} = "
    return paper.wrap(f"{NBSP}+ ".join(words), first=head, rest="      ")


def _cost(r, paper, out):
    rec = r.recording
    words = []
    cost, cpu = rec.total("overhead_ns"), rec.total("cpu_ns")
    if cost and cpu and r.judged.kind != "unrecorded":
        if cost < COST_TOLD or cpu < CPU_TOLD:
            words.append(f"Recording cost {seconds(cost / 1e9)}{r.when_it_cost()}.")
        else:
            words.append(f"Recording cost {percent(cost, cpu)} of CPU time.")
    unseen = r.unseen()
    if unseen:
        words.append(f"Not seen: {'; '.join(unseen)}.")
    if words:
        out += [paper.paint(line, "dim") for line in paper.wrap(paper.fix(" ".join(words)))]


def _next(r, paper, out, all_):
    """The commands to go on with: each shows something that this report does not."""
    path = shell_word(r.recording.path)
    commands = []
    f = r.judged.findings[0] if r.judged.findings else None
    if r.judged.kind == "unrecorded":
        argv = r.process.words("argv")[1:]
        if r.recording.damaged or not argv or argv[0].startswith("-X"):
            return
        commands.append(" ".join(["env -u PYTHONMALLOC -u PYTHONDEVMODE memsure run", *map(shell_word, argv)]))
    elif f is not None:
        held = f.way and f.line is not None and f.verdict in ("leak", "retention")
        commands.append(f"memsure why {path} {f.rule}" if held else f"memsure explain {f.rule}")
        if all_ and f.line is not None and r.sources.line(r.lines.file(f.line), r.lines.line(f.line)):
            commands.append(f"memsure report {path} --lines {shell_word(r.sources.place(r.lines.file(f.line)))}")
    else:
        commands.append(f"memsure check {path}")
    if not all_ and r.judged.kind != "unrecorded":
        commands.append(f"memsure report {path} --all")
    if out[-1]:
        out.append("")
    joined = "   ".join(c.replace(" ", NBSP) for c in commands)
    if text.cells(joined) + 6 <= paper.width:
        out.append(f"next: {joined}")
    else:
        for n, c in enumerate(commands):
            out.append(("next: " if n == 0 else "      ") + paper.fix(c))


def shell_word(word):
    """A word as it is typed in a shell."""
    if word and all(c.isalnum() or c in "_-./=+:,@%" for c in word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


# -- annotated source ----------------------------------------------------------------------------


def _file_meant(r, wanted):
    """The row of the one file that is called so, in full or by its end; raises Unreadable."""
    from .recording import Unreadable

    command = f"memsure report {shell_word(r.recording.path)} --lines"
    names = {row: r.lines.name(row) for row in {key[0] for key in r.lines.keys}}
    absolute = os.path.abspath(wanted)
    found = [row for row, name in names.items() if name == wanted or r.sources.path(name) == absolute or r.sources.place(name) == wanted]
    if not found:
        tail = "/" + wanted.lstrip("./")
        found = [row for row, name in names.items() if ("/" + name).endswith(tail)]
    if not found:
        from difflib import get_close_matches

        close = get_close_matches(wanted, sorted({r.sources.place(n) for n in names.values() if n}), 1, 0.4)
        raise Unreadable(f"no line of '{wanted}' allocated anything", f"{command} {shell_word(close[0])}" if close else None)
    if len(found) > 1:
        some = [r.sources.place(names[row]) for row in found]
        raise Unreadable(
            f"'{wanted}' may be any of {', '.join(some[:4])}{' ...' if len(some) > 4 else ''}", f"{command} {shell_word(names[found[0]])}"
        )
    return found[0]


def annotated(recording, wanted, paper, all_=False):
    """A source file with what each line allocated, held at the peak and at the end, and made for a
    moment only."""
    r = Report(recording)
    lines = r.lines
    row_of_file = _file_meant(r, wanted)
    file = lines.name(row_of_file)
    metrics = ("allocated_bytes", "peak_bytes", "live_bytes", "temporary_bytes")
    by = {}
    for i in (i for i, key in enumerate(lines.keys) if key[0] == row_of_file):
        row = by.setdefault(lines.line(i), [0, 0, 0, 0])
        for k, metric in enumerate(metrics):
            row[k] += lines[metric][i]
    source = r.sources.lines(file)
    last = len(source) - (1 if source and not source[-1] else 0)
    numbers = [*range(1, last + 1), *sorted(n for n in by if n > last)]
    last = max(numbers, default=0)
    out = [
        paper.paint(paper.fix(r.sources.place(file)), "bold")
        + "  "
        + paper.paint(f"{count(len(by))} lines allocate", "dim")
    ]
    if r.sources.changed(file):
        out.append("note: the file was changed after the recording; its lines may have moved")
    if not source:
        out.append("note: its source is not here; the lines that allocate are shown")
    shown = 4 if paper.width >= 72 else 2  # of the figures: the source is what is read
    out += ["", "allocated   at peak    at end temporary"[: 10 * shown - 1]]
    digits = len(str(last))
    elided = False
    for number in numbers:
        row = by.get(number)
        near = all_ or any(k in by for k in range(number - 3, number + 4))
        if row is None and (not near or not source):
            if source and not elided:
                out.append(" " * 10 * shown + paper.paint(paper.sign("…"), "dim"))
            elided = True
            continue
        elided = False
        figures = " ".join(paper.right(size(v) if v else "", 9) for v in row[:shown]) if row else " " * (10 * shown - 1)
        body = paper.fix(source[number - 1].replace("\t", "    ")) if number <= len(source) else ""
        text_line = f"{figures} {paper.paint(f'{number:>{digits}} |', 'dim')} "
        out.append(text_line + paper.cut(body, max(12, paper.width - 10 * shown - 3 - digits)))
    sums = [sum(row[k] for row in by.values()) for k in range(shown)]
    out.append(" ".join(paper.right(size(v), 9) for v in sums) + "  in all")
    rest = sum(row[0] for n, row in by.items() if n < 1)
    if rest:
        out.append(f"({size(rest)} of it has no line number)")
    return paper.finish(_warnings(recording, paper) + out)


# -- JSON ----------------------------------------------------------------------------------------

SITE_METRICS = (
    "allocated_blocks",
    "allocated_bytes",
    "freed_blocks",
    "freed_bytes",
    "live_blocks",
    "live_bytes",
    "peak_blocks",
    "peak_bytes",
    "temporary_blocks",
    "temporary_bytes",
    "gc_freed_blocks",
    "gc_freed_bytes",
)


def finding_data(r, f, growth=None):
    """One finding as JSON has it."""
    lines, i = r.lines, f.line

    def said(s):
        return text.Paper().fix(s).replace(NBSP, " ")

    number = r.marked_site(f)[0] if i is not None else 0
    out = {
        "rule": f.rule,
        "principle": f.principle,
        "verdict": f.verdict,
        "kind": f.kind,
        "suspect": f.suspect,
        "confidence": round(f.confidence, 2),
        "bytes": f.bytes,
        "pid": f.process.number("pid"),
        "file": lines.file(i) if i is not None else "",
        "line": number,
        "function": r.marked_function(f) if i is not None else "",
        "title": said(words.title(f)),
        "what": said(words.one_line(r, f)),
        "culprit": said(f.holder.culprit if f.holder is not None else r.where(i) if i is not None else ""),
        "path": [said(step) for step in f.holder.path] if f.holder is not None else [],
        "note": said(words.note(r, f)),
        "evidence": said(words.evidence(r, f)),
        "fix": said(words.where_fix(f) + words.fix(r, f)),
        "patch": [{"line": n, "sign": sign, "text": t} for n, sign, t in words.patch(f)],
        "patch_file": words.patch_file(r, f),
        "saves": said(words.saves(r, f)),
        "saves_bytes": words.saves_bytes(f),
        "returns_bytes": words.returns_bytes(f),
        "expected": words.expected(f),
        "growth": growth,
    }
    caller = r.caller(f) if i is not None else None
    if caller:
        g = caller[0]
        out["called_by"] = {
            "file": lines.file(g),
            "line": lines.line(g),
            "function": lines.function(g),
            "share": round(caller[1], 4),
        }
    return out


def data(recording, sort="peak", filter_=None):
    """The report as a dict: schema 1, described in docs/REPORT.md. All sizes are exact bytes."""
    r = Report(recording)
    lines, j, rec = r.lines, r.judged, recording
    first, second = r.verdict_text()
    paper = text.Paper()

    def said(s):
        return paper.fix(s).replace(NBSP, " ")

    def process(p):
        return {
            "argv": p.words("argv"),
            "python": p.info.get("python", ""),
            "executable": p.info.get("executable", ""),
            "cwd": p.info.get("cwd", ""),
            "pid": p.number("pid"),
            "ppid": p.number("ppid"),
            "exit_kind": p.info.get("exit_kind", "unknown"),
            "exit_code": p.number("exit_code"),
            "start_unix_ns": p.number("start_unix_ns"),
            "duration_s": p.duration_ns / 1e9,
            "cpu_s": p.number("cpu_ns") / 1e9,
            "peak_rss_bytes": p.number("peak_rss_bytes"),
            "mode": p.info.get("mode", "line"),
            "complete": p.complete,
        }

    def growth(i):
        s = j.slopes.get(i)
        return s and {
            "bytes_per_s": round(s.per_second, 1),
            "error_bytes_per_s": round(s.error, 1),
            "rise_bytes": round(s.rise),
            "from_s": round(s.start, 3),
            "to_s": round(s.end, 3),
        }

    def finding(f):
        return finding_data(r, f, growth(f.line))

    metrics = [lines[m] for m in SITE_METRICS]
    column = METRICS[sort][0]
    if column is None:
        order = sorted(range(len(lines)), key=lambda i: -(j.slopes[i].rise if i in j.slopes else 0))
    else:
        order = sorted(range(len(lines)), key=lines[column].__getitem__, reverse=True)
    if filter_:
        order = [i for i in order if filter_.lower() in r.where(i).lower()]
    names = ("file", "line", "function", "code", "baseline", *SITE_METRICS, "growth")
    rows = list(zip(*metrics))
    sites = []
    for i in order:
        file = lines.file(i)
        sites.append(
            dict(
                zip(
                    names,
                    (
                        file,
                        lines.line(i),
                        lines.function(i),
                        r.sources.kind(file),
                        j.baseline[i] or None,
                        *rows[i],
                        growth(i),
                    ),
                )
            )
        )
    cost, cpu = rec.total("overhead_ns"), rec.total("cpu_ns")
    times, rss = rec.timeline("rss_bytes")
    _, python = rec.timeline("python_bytes")
    return {
        "schema": 1,
        "memsure": rec.first.info.get("memsure", ""),
        "process": process(rec.first),
        "processes": [process(p) for p in rec.processes],
        "overhead": {"ns": cost, "share_of_cpu": cost / cpu if cpu else None},
        "unseen": {
            "unrecorded_blocks": rec.total("unrecorded_blocks"),
            "before_blocks": rec.total("before_blocks"),
            "undercounted": sorted({t for p in rec.processes for t in p.words("undercounted")}),
        },
        "verdict": {"kind": j.kind, "text": said(first), "detail": said(second)},
        "totals": {
            name: rec.total(name)
            for name in SITE_METRICS[:8]
        },
        "memory": {moment: rec.memory(moment) for moment in ("end", "peak")},
        "timeline": {"t_ns": list(times), "rss_bytes": list(rss), "python_bytes": list(python)},
        "findings": [finding(f) for f in j.findings],
        "sites": sites,
        "warnings": [sentence for sentence, _ in rec.warnings()],
    }
