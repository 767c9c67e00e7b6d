"""The commands that ask a snapshot: `memsure snapshot FILE`, `why`, `diff`.

A progress line appears on a terminal when an answer takes more than half a second; the work goes on in C
without the interpreter's lock, a thread of ours only writes the line.
"""

import sys

from .cli import Usage, write
from .recording import Unreadable
from .report import shell_word


def snapshot(settings, rest):
    if not rest:
        raise Usage("snapshot needs a file, or the number of a process", "memsure snapshot run.memsure")
    if len(rest) > 1:
        raise Usage(f"snapshot takes one file; '{rest[1]}' is one too many", f"memsure diff {shell_word(rest[0])} {shell_word(rest[1])}",
                    "(compares two)")
    if settings.output or settings.wait:
        option = "-o" if settings.output else "--wait"
        raise Usage(f"{option} is for the number of a process; '{rest[0]}' is a file", f"memsure snapshot {shell_word(rest[0])}")
    from . import snaptext

    from .snap import Counted

    with Progress(f"reading {rest[0]}") as progress:
        try:
            snap = opened(rest[0], settings)
        except Counted as counted:
            if _json(settings):
                return _print_json(snaptext.counted_data(counted))
            write(sys.stdout, snaptext.counted(counted, _paper(settings), settings.all))
            return 0
        progress.say("who holds most")
        if _json(settings):
            return _print_json(snaptext.data(snap, settings.by))
        paper = _paper(settings)
        text = snaptext.by(snap, paper, settings.by, settings.all) if settings.by else snaptext.summary(snap, paper, settings.all)
    write(sys.stdout, text)
    return 0


def why(settings, rest):
    if len(rest) < 2:
        if not rest:
            raise Usage("why needs a snapshot, and what it is to be about", "memsure why run.memsure Product")
        raise Usage("why needs a type, a line, an address or a variable", f"memsure why {shell_word(rest[0])} Product")
    if len(rest) > 2:
        raise Usage(f"why takes one type, line, address or variable; '{rest[2]}' is one too many",
                    f"memsure why {shell_word(rest[0])} {shell_word(rest[1])}")
    from . import snaptext
    from .snap import NotFound

    with Progress(f"reading {rest[0]}") as progress:
        snap = opened(rest[0], settings)
        progress.say("the way to " + rest[1])
        try:
            found = snap.why(_place_of(rest[0], rest[1]) or rest[1])
        except NotFound as e:
            hint = f"memsure why {shell_word(rest[0])} {shell_word(e.nearest)}" if e.nearest else f"memsure snapshot {shell_word(rest[0])} --by type"
            raise Usage(str(e), hint) from None
        if _json(settings):
            return _print_json(found.data())
        text = snaptext.why(found, _paper(settings))
    write(sys.stdout, text)
    return 0


def _place_of(path, word):
    """FILE:LINE of the first finding with this id, "L1"; None where it is none, or where there is no such finding."""
    from .rules import RULES

    if word.upper() not in RULES:
        return None
    from .recording import load
    from .report import Report

    try:
        r = Report(load(path))
    except Unreadable:      # a snapshot by itself has no findings
        return None
    for f in r.judged.findings:
        if f.rule == word.upper() and f.line is not None:
            return r.sources.place(r.lines.file(f.line), r.lines.line(f.line))
    return None


def diff(settings, rest):
    if len(rest) != 2:
        if len(rest) > 2:
            raise Usage(f"diff takes two snapshots; '{rest[2]}' is one too many", f"memsure diff {shell_word(rest[0])} {shell_word(rest[1])}")
        raise Usage("diff needs two snapshots", f"memsure diff {shell_word(rest[0]) if rest else 'before.memsure'} after.memsure")
    from . import snaptext
    from .snap import Diff

    with Progress(f"reading {rest[0]}") as progress:
        before = opened(rest[0], settings)
        after = opened(rest[1], settings)
        progress.say("what changed")
        found = Diff(before, after)
        if _json(settings):
            return _print_json(found.data())
        text = snaptext.diff(found, _paper(settings), settings.all)
    write(sys.stdout, text)
    return 0


def opened(path, settings):
    """The snapshot in a file; what cannot be read later on is said as clearly as at opening."""
    from .snap import Snapshot

    return Snapshot.open(path, settings.at)


def _json(settings):
    return settings.json or settings.format == "json"


def _print_json(data):
    import json

    write(sys.stdout, json.dumps(data, ensure_ascii=False) + "\n")
    return 0


def _paper(settings):
    from . import text

    return text.paper_for(sys.stdout, settings.color or "auto", settings.width)


class Progress:
    """One line on stderr while work takes long: what is being done. Only on a terminal; gone at the end.

    Damage that is only seen while columns are read becomes an Unreadable here."""

    AFTER, EACH = 0.5, 0.2

    def __init__(self, what):
        self.what = what
        self.thread = None

    def say(self, what):
        self.what = what

    def __enter__(self):
        try:
            terminal = sys.stderr.isatty()
        except (AttributeError, ValueError):
            terminal = False
        if terminal:
            import threading

            self.done = threading.Event()
            self.thread = threading.Thread(target=self._tell, daemon=True)
            self.thread.start()
        return self

    def _tell(self):
        from . import text

        paper, shown = text.paper_for(sys.stderr), 0
        wait = self.AFTER
        while not self.done.wait(wait):
            line = paper.cut(paper.fix(self.what) + " " + paper.sign("…"), paper.width - 1)
            write(sys.stderr, "\r" + paper.left(line, shown))
            shown, wait = max(shown, text.cells(line)), self.EACH
        if shown:
            write(sys.stderr, "\r" + " " * shown + "\r")

    def __exit__(self, kind, e, tb):
        if self.thread is not None:
            self.done.set()
            self.thread.join()
        if e is not None:
            from . import _core

            if isinstance(e, _core.Error):
                path = getattr(e, "path", None)
                text = str(e)
                raise Unreadable(text if path is None or path in text else f"{path}: {text}") from None
        return False
