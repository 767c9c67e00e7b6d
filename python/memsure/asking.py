"""The commands that ask a snapshot: `memsure snapshot FILE`, `why`, `diff`."""

import sys

from .cli import Usage, write
from .progress import Progress
from .recording import Unreadable
from .report import shell_word


def snapshot(settings, rest):
    if not rest:
        raise Usage("snapshot needs a file, or the number of a process", "memsure snapshot run.memsure")
    if len(rest) > 1:
        raise Usage(f"snapshot takes one file; '{rest[1]}' is one too many", f"memsure diff {shell_word(rest[0])} {shell_word(rest[1])}",
                    "(compares two)")
    if settings.output or settings.wait or settings.values:
        option = "-o" if settings.output else "--wait" if settings.wait else "--values"
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

    path, word = rest
    with Progress(f"reading {path}") as progress:
        snap = opened(path, settings)
        progress.say("the way to " + word)
        asked = _finding(path, word)
        try:
            found = snap.why(asked.place if asked else word)
        except NotFound as e:
            if asked:
                raise Usage(f"nothing lives that {word.upper()} is about: no object was born at {asked.place}", f"memsure explain {word.upper()}") from None
            hint = f"memsure why {shell_word(path)} {shell_word(e.nearest)}" if e.nearest else f"memsure snapshot {shell_word(path)} --by type"
            raise Usage(str(e), hint) from None
        if _json(settings):
            return _print_json(found.data())
        text = snaptext.why(found, _paper(settings), asked)
    write(sys.stdout, text)
    return 0


class Asked:
    """A finding that is asked about: its rule, where its objects are born, what to change."""

    def __init__(self, r, f):
        from . import words

        self.rule, self.place = f.rule, r.sources.place(r.lines.file(f.line), r.lines.line(f.line))
        new = [(n, text) for n, sign, text in words.patch(f) if sign == "+" and not text.startswith(("import ", "from "))]
        self.fix = words.where_fix(f) + words.fix(r, f)
        if len(new) == 1:
            self.fix = f"{r.sources.place(words.patch_file(r, f), new[0][0])}   {new[0][1].strip()}"


def _finding(path, word):
    """The first finding with this id, "L1"; None where it is no id, or where a snapshot by itself has no findings."""
    from .rules import RULES

    rule = word.upper()
    if rule not in RULES:
        return None
    from .recording import load
    from .report import Report

    try:
        r = Report(load(path))
    except Unreadable:
        return None
    for f in r.judged.findings:
        if f.rule == rule and f.line is not None:
            return Asked(r, f)
    there = ", ".join(dict.fromkeys(f.rule for f in r.judged.findings if f.line is not None))
    raise Usage(f"{path} has no finding {rule}" + (f"; it has {there}" if there else ""), f"memsure report {shell_word(path)}")


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
