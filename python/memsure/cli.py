"""The command line: which command, its options, and one clear sentence when something is not as it
should be.

    memsure run [options] app.py [args] | -m module [args] | -c code [args] | -- any command
    memsure report FILE|FOLDER          memsure FILE means report FILE
    memsure check FILE|FOLDER|-- command
    memsure explain ID
    memsure export FILE --to FORMAT

Options are read by hand, from one table per command: a program's own arguments must stay as they
are, a wrong option deserves the sentence of `Usage`, and start-up is part of every recorded run
(argparse alone takes 12 ms). What a command needs is imported when it runs.

Exit status: `run` ends as the program ended; `check` gives 1 for findings; else 0, or 2 for wrong use and
unreadable data.
"""

import sys

HELP = """\
memsure: find what your Python program's memory is doing, and what to change

  memsure run app.py            run it, then say what is wrong and how to fix it
  memsure report run.memsure    the report again, or by another measure
  memsure export run.memsure --to speedscope

Record  run       run a program, report
Ask     snapshot  who holds most, in a file or in a running process
        why       who holds this             diff      what changed in between
        explain   what a rule means
Give    report    verdict, lines, annotated source, JSON
        check     for CI: exit 1 on findings
        export    pprof, speedscope, collapsed, csv, heapsnapshot

memsure COMMAND --help shows its options; memsure FILE means report FILE
"""

HELP_RUN = """\
memsure run [options] app.py [args]  |  -m module [args]  |  -c code [args]
                                     |  -- any command

  -o FILE        where the record goes    [run.memsure, then run-2.memsure]
  --exact        every stack, not a sample   [lines exact, stacks sampled]
  --snapshot=WHEN  photograph all objects: exit, peak, every=SECONDS, none;
                 several with a comma     [peak,exit]   (kill -URG: now)
  --values       snapshots hold what strings, bytes and numbers say, too [no]
  --no-children  this process only        [fork, spawn and exec are followed]
  --show N       findings printed in full [1]      --all   every one
  --no-report    one line instead of the report
  -q, --quiet    write the record, print nothing
  --json         the report as JSON on stdout
  --width N      columns, 24 to 120       [the terminal's; 100 in a pipe]
  --color WHEN   auto, always or never    [auto]

examples  memsure run app.py                      memsure run -m pytest tests
          memsure run -- gunicorn shop:app        memsure run --exact -q job.py
"""

HELP_SNAPSHOT = """\
memsure snapshot FILE             who holds most, in a snapshot or recording
memsure snapshot PID [-o FILE]    ask a process that memsure records for one

  --by WHAT      one table instead: holder, type, line, module, variable,
                 cycle, growing, spare, equal, unexplained or raw
  --at WHEN      exit or peak, of a recording that has both       [exit]
  --all          more rows
  --format F     text or json             [text]
  --width N      columns, 24 to 120       [the terminal's; 100 in a pipe]
  --color WHEN   auto, always or never    [auto]
of a PID:
  -o FILE        where it goes            [snapshot-PID.memsure]
  --values       with what strings, bytes and numbers say   [names only]
  --wait SECONDS for its next safe moment [5]
  -q, --quiet    print nothing

examples  memsure snapshot run.memsure
          memsure snapshot run.memsure --by cycle
          memsure snapshot 4121 -o before.memsure
"""

HELP_WHY = """\
memsure why FILE TYPE|FILE:LINE|ADDRESS|MODULE.NAME|FINDING

Who holds these objects, by which path, and which reference to cut.

  --at WHEN      exit or peak, of a recording that has both       [exit]
  --format F     text or json             [text]
  --width N      columns, 24 to 120       [the terminal's; 100 in a pipe]
  --color WHEN   auto, always or never    [auto]

examples  memsure why run.memsure Product          all objects of a type
          memsure why run.memsure shop/cache.py:25 all that a line made
          memsure why run.memsure shop.CATALOG     one module variable
          memsure why run.memsure 0x7f3a5c0e1d80   one object
          memsure why run.memsure L1               what a finding's line made
"""

HELP_DIFF = """\
memsure diff BEFORE AFTER

What changed from one snapshot to the other: by line, type and holder, which
containers got longer, and which references nobody owns.

  --at WHEN      exit or peak, of recordings that have both       [exit]
  --all          more rows
  --format F     text or json             [text]
  --width N      columns, 24 to 120       [the terminal's; 100 in a pipe]
  --color WHEN   auto, always or never    [auto]

examples  memsure diff before.memsure after.memsure
          memsure diff a.memsure b.memsure --format json
"""

HELP_REPORT = """\
memsure report [options] FILE|FOLDER

  --sort BY      lines by peak, growth, temporary, gc, allocated or live
  --filter TEXT  only lines whose file:line or function contains TEXT
  --lines FILE   the source of one file with what each line allocated
  --process PID  one process of a folder  [all of them, added up]
  --show N       findings printed in full [1]      --all   every one
  --format F     text or json             [text]
  --width N      columns, 24 to 120       [the terminal's; 100 in a pipe]
  --color WHEN   auto, always or never    [auto]

examples  memsure report run.memsure
          memsure report run.memsure --sort allocated --filter shop/
          memsure report run.memsure --lines shop/cache.py
"""

HELP_EXPORT = """\
memsure export FILE|FOLDER --to FORMAT [-o OUT]

  --to FORMAT    speedscope, pprof, collapsed or csv; of a snapshot:
                 heapsnapshot
  -o OUT         where it goes            [beside FILE; - is stdout]
  --metric M     peak, allocated or live: the one shown first, the only one
                 of collapsed             [peak]
  --process PID  one process of a folder  [all of them, added up]
  --at WHEN      heapsnapshot: exit or peak, of a recording with both [exit]

examples  memsure export run.memsure --to speedscope
          memsure export run.memsure --to collapsed -o - | flamegraph.pl
          memsure export run.memsure --to heapsnapshot
"""

HELP_CHECK = """\
memsure check [options] FILE|FOLDER  |  app.py [args]  |  -- any command

  --format F     text, json, sarif, markdown, github or gitlab
                 [text; github where GITHUB_ACTIONS is set]
  --severity S   from note (churn), warning or error (leak) on    [note]
  --ignore IDS   rules that are left out: --ignore L1,C2
  --baseline FILE        only what is not in it
  --write-baseline FILE  what is found now is known from now on
  -o OUT         where it goes            [stdout]
  --process PID  one process of a folder  [all of them]

exit status: 0 nothing, 1 findings, 2 wrong use or unreadable data; without
          findings, that of the command
also:     # memsure: ignore[L1] on a line; [tool.memsure] in pyproject.toml with
          severity, ignore, paths, baseline, least-bytes

examples  memsure check run.memsure               memsure check -- pytest tests
          memsure check run.memsure --format sarif -o memsure.sarif
"""

HELP_EXPLAIN = """\
memsure explain ID...            what a rule means, how it is seen, the fix

  --color WHEN   auto, always or never    [auto]
  --width N      columns, 24 to 120       [the terminal's; 100 in a pipe]

examples  memsure explain L1         memsure explain      (all, a line each)
"""

SORTS = ("peak", "growth", "temporary", "gc", "allocated", "live")
METRICS = ("peak", "allocated", "live")
FORMATS = ("speedscope", "pprof", "collapsed", "csv", "heapsnapshot")
BY = ("holder", "type", "line", "module", "variable", "cycle", "growing", "spare", "equal", "unexplained", "raw")
MOMENTS = ("exit", "peak", "call")
WHEN = ("auto", "always", "never")
LEAST_WIDTH = 24  # columns: as text.NARROWEST

# option -> (name of the setting, what it takes: None (a flag), int, str, or the words it may be)
COMMON = {
    "--color": ("color", WHEN),
    "--width": ("width", int),
    "--show": ("show", int),
    "--all": ("all", None),
}
ASKING = {
    "--at": ("at", MOMENTS),
    "--format": ("format", ("text", "json")),
    "--json": ("json", None),
    "--color": ("color", WHEN),
    "--width": ("width", int),
}
OPTIONS = {
    "run": {
        "-o": ("output", str),
        "--output": ("output", str),
        "--exact": ("exact", None),
        "--no-children": ("no_children", None),
        "--snapshot": ("snapshot", str),
        "--values": ("values", None),
        "--no-report": ("no_report", None),
        "-q": ("quiet", None),
        "--quiet": ("quiet", None),
        "--json": ("json", None),
        **COMMON,
    },
    "snapshot": {
        "-o": ("output", str),
        "--output": ("output", str),
        "--values": ("values", None),
        "--wait": ("wait", str),
        "-q": ("quiet", None),
        "--quiet": ("quiet", None),
        "--by": ("by", BY),
        "--all": ("all", None),
        **ASKING,
    },
    "why": ASKING,
    "diff": {"--all": ("all", None), **ASKING},
    "report": {
        "--format": ("format", ("text", "json")),
        "--json": ("json", None),
        "--sort": ("sort", SORTS),
        "--filter": ("filter", str),
        "--lines": ("lines", str),
        "--process": ("process", int),
        **COMMON,
    },
    "check": {
        "--format": ("format", ("text", "json", "sarif", "markdown", "github", "gitlab")),
        "--json": ("json", None),
        "--severity": ("severity", ("note", "warning", "error")),
        "--ignore": ("ignore", str),
        "--baseline": ("baseline", str),
        "--write-baseline": ("write_baseline", str),
        "-o": ("output", str),
        "--output": ("output", str),
        "--process": ("process", int),
    },
    "explain": {"--color": ("color", WHEN), "--width": ("width", int)},
    "export": {
        "--to": ("to", FORMATS),
        "--metric": ("metric", METRICS),
        "-o": ("output", str),
        "--output": ("output", str),
        "--process": ("process", int),
        "--at": ("at", MOMENTS),
    },
}
HELPS = {
    "run": HELP_RUN, "snapshot": HELP_SNAPSHOT, "why": HELP_WHY, "diff": HELP_DIFF, "report": HELP_REPORT, "check": HELP_CHECK,
    "explain": HELP_EXPLAIN, "export": HELP_EXPORT,
}  # fmt: skip
COMMANDS = tuple(OPTIONS)


class Usage(Exception):
    """Wrong use: a sentence, and the right command with a remark, if one is known."""

    def __init__(self, sentence, hint=None, remark=""):
        super().__init__(sentence)
        self.hint = hint
        self.remark = remark


class Settings:
    """What the options said; None where they said nothing."""

    def __init__(self, options):
        self.command = False  # check: the rest is a command to record
        for name, takes in options.values():
            setattr(self, name, False if takes is None else None)


def parse(command, words):
    """Options of a command up to the first word that is none -> (Settings, rest), or None for
    --help.

    `run` stops at the program; the other commands take options before and after their file.
    """
    options = OPTIONS[command]
    settings, rest = Settings(options), []
    i = 0
    while i < len(words):
        word = words[i]
        i += 1
        if word in ("-h", "--help"):
            return None
        if word == "--" or word[:1] != "-" or word == "-":
            if command == "run" or command == "check" and not rest and word.endswith(".py"):
                return settings, words[i - 1 :]
            if command == "check" and word == "--":
                settings.command = True
                return settings, words[i:]
            rest += words[i:] if word == "--" else [word]
            if word == "--":
                break
            continue
        if command == "run" and word[:2] in ("-m", "-c"):
            return settings, words[i - 1 :]
        name, given, value = word, False, None
        if word.startswith("--") and "=" in word:
            name, _, value = word.partition("=")
            given = True
        elif (
            word not in options
            and word[:2] in options
            and word[1] != "-"
            and options[word[:2]][1] is not None
        ):
            name, value, given = word[:2], word[2:], True  # -oFILE
        if name not in options:
            raise Usage(f"{name} is not an option of {command}", *_option_hint(command, name))
        setting, takes = options[name]
        if takes is None:
            if given:
                raise Usage(f"{name} takes no value (it was given '{value}')", name)
            setattr(settings, setting, True)
            continue
        if not given:
            if i == len(words):
                raise Usage(f"{name} needs {_needs(name, takes)}", _example(name, takes, command))
            value = words[i]
            i += 1
        if takes is int:
            if not (value.isascii() and value.isdigit()):
                raise Usage(f"{name} needs a number, not '{value}'", _example(name, takes, command))
            value = int(value)
            if name == "--width" and value < LEAST_WIDTH:
                raise Usage(f"--width needs at least {LEAST_WIDTH} columns, not {value}", "--width 80")
        elif takes is not str and value not in takes:
            close = _close(value, takes)
            raise Usage(
                f"{name} knows no '{value}'; it takes {_or(takes)}", f"{name} {close or takes[0]}"
            )
        elif value == "":
            raise Usage(f"{name} needs {_needs(name, takes)}", _example(name, takes, command))
        setattr(settings, setting, value)
    return settings, rest


# option -> (what its value is called, one to copy) where "a value" and "app" would not tell
VALUES = {
    "-o": ("a file", "run.memsure"),
    "--output": ("a file", "run.memsure"),
    "--lines": ("a file", "app.py"),
    "--filter": ("a text", "app"),
    "--snapshot": ("a moment", "peak,exit"),
    "--wait": ("seconds", "10"),
    "--ignore": ("rules", "L1,C2"),
    "--baseline": ("a file", "memsure-baseline.json"),
    "--write-baseline": ("a file", "memsure-baseline.json"),
}
OUTPUTS = {"check": "memsure.sarif", "export": "run.json", "snapshot": "app.snapshot"}


def _needs(name, takes):
    return "a number" if takes is int else VALUES.get(name, ("a value",))[0] if takes is str else _or(takes)


def _example(name, takes, command):
    if takes is int:
        return f"{name} {({'--width': 120, '--process': 4121}).get(name, 3)}"
    if name in ("-o", "--output") and command in OUTPUTS:
        return f"{name} {OUTPUTS[command]}"
    return f"{name} {VALUES.get(name, ('', 'app'))[1] if takes is str else takes[0]}"


def _or(words):
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _close(word, words):
    from difflib import get_close_matches

    found = get_close_matches(word, words, 1, 0.6)
    return found[0] if found else None


def _option_hint(command, name):
    others = [c for c in COMMANDS if name in OPTIONS[c]]
    if others:
        return f"memsure {others[0]} {name}", f"(an option of {others[0]})"
    close = _close(name, list(OPTIONS[command]))
    if close:
        return close, ""
    return f"memsure {command} --help", ""


def main(argv=None):
    """Run one command; its exit status. `run` may end this process by the program's signal
    instead."""
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:  # this process is one command's: no collection frees more than its end
        import gc

        gc.disable()
    try:
        return _dispatch(words)
    except Usage as e:
        complain(str(e), e.hint or _help_of(words), e.remark)
        return 2
    except KeyboardInterrupt:
        complain("stopped", word="note")
        return 130
    except BrokenPipeError:  # `memsure report | head`: nobody reads on
        _drop_stdout()
        return 0
    except Exception as e:  # a fault of ours says so, in one line
        if any(t.__name__ == "Unreadable" for t in type(e).__mro__):
            complain(str(e), e.hint or _help_of(words))
            return 2
        import os

        if os.environ.get("MEMSURE_TRACEBACK"):
            raise
        failed(e)
        return 2


def _help_of(words):
    """Where nothing better is known: what the command takes."""
    return f"memsure {words[0]} --help" if words and words[0] in OPTIONS else "memsure --help"


def failed(e, untouched=""):
    """Say that memsure itself failed, with what is needed to find out why."""
    tb = e.__traceback__
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    where = f" at {tb.tb_frame.f_code.co_filename.rpartition('/')[2]}:{tb.tb_lineno}" if tb else ""
    from . import __version__

    complain(
        f"{type(e).__name__}: {e}{where} (memsure {__version__}, "
        f"CPython {sys.version.split()[0]}){untouched}. "
        "Please report this line; MEMSURE_TRACEBACK=1 shows more",
        word="memsure failed (not your program)",
    )


def complain(sentence, hint=None, remark="", word="error"):
    """One line what is wrong, one line to copy."""
    from . import text

    paper = text.paper_for(sys.stderr)
    color = {"error": ("red", "bold"), "warning": ("yellow",)}.get(word, ("bold",))
    lines = [paper.paint(f"{word}:", *color) + " " + paper.fix(sentence)]
    if hint:
        hint = paper.fix(hint)
        if remark:
            hint = f"{hint:<39} {remark}"
        lines.append(f"  {paper.paint('try:', 'bold')} {hint}")
    write(sys.stderr, paper.finish(lines))


def write(stream, s):
    """Write a text to a stream whatever its encoding; a closed one is no fault."""
    if stream is None:
        return
    try:
        try:
            stream.write(s)
        except UnicodeEncodeError:
            stream.write(
                s.encode(stream.encoding or "ascii", "backslashreplace").decode(
                    stream.encoding or "ascii"
                )
            )
        stream.flush()
    except BrokenPipeError:
        if stream is sys.stdout:
            raise
    except (OSError, ValueError):
        if stream is sys.stdout:
            raise


def _drop_stdout():
    """Nobody reads stdout: let the interpreter's last flush go nowhere."""
    import os

    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError:
        pass


def _dispatch(words):
    if not words or words[0] in ("-h", "--help", "help"):
        if len(words) > 1 and words[1] in HELPS:
            write(sys.stdout, HELPS[words[1]])
            return 0
        write(sys.stdout, HELP)
        return 0
    command, rest = words[0], words[1:]
    if command in ("-V", "--version"):
        from . import __version__

        write(sys.stdout, f"memsure {__version__} (CPython {sys.version.split()[0]})\n")
        return 0
    if command == "env" and not rest:
        return _env()
    if command not in OPTIONS:
        command, rest = _unnamed(words)
    parsed = parse(command, rest)
    if parsed is None:
        write(sys.stdout, HELPS[command])
        return 0
    settings, rest = parsed
    if command == "run":
        from .run import run

        return run(settings, rest)
    if command == "snapshot":
        return _snapshot(settings, rest)
    if command in ("why", "diff"):
        from . import asking

        return getattr(asking, command)(settings, rest)
    return {"report": _report, "export": _export, "check": _check, "explain": _explain}[command](settings, rest)


def _env():
    """The environment in which a program counts as under `memsure run`, into memory of its own that
    nobody reads: for measuring what counting costs. Not in the help."""
    import os

    from . import _core

    home = os.path.dirname(os.path.abspath(_core.__file__))
    preload = os.path.join(home, "memsure_preload.so")
    if not os.path.exists(preload):  # a build tree: see src/py/run.c
        preload = os.path.join(os.path.dirname(home), "record", "memsure_preload.so")
    write(
        sys.stdout,
        f"LD_PRELOAD={preload}\nMEMSURE_LIVE=\nMEMSURE_MODE=line\nMEMSURE_SAMPLE_BYTES=524288\n",
    )
    return 0


def _unnamed(words):
    """What was meant where the first word is no command."""
    import os

    word = words[0]
    if word.startswith("-"):
        for command in COMMANDS:
            if word.partition("=")[0] in OPTIONS[command]:
                raise Usage(
                    f"{word} needs a command before it",
                    f"memsure {command} {word.partition('=')[0]} ...",
                )
        raise Usage(f"{word} is not an option of memsure", "memsure --help")
    if (
        word.endswith((".memsure", ".memsure/"))
        or os.path.isdir(word)
        and word not in COMMANDS
        and _holds_recordings(word)
    ):
        return "report", words
    if os.path.isfile(word):
        from .recording import foreign

        if foreign(word) is None:
            return "report", words
    if word.endswith(".py"):
        raise Usage(f"no command '{word}'", f"memsure run {word}")
    if word in ("flamegraph", "flame"):
        raise Usage(f"no command '{word}'", "memsure export run.memsure --to speedscope", "(a flame graph)")
    close = _close(word, COMMANDS)
    if close:
        raise Usage(
            f"no command '{word}'",
            f"memsure {close}" + (" ..." if len(words) == 1 else " " + " ".join(words[1:])),
        )
    raise Usage(f"no command '{word}'", "memsure --help")


def _holds_recordings(folder):
    import os

    try:
        return any(n.endswith(".memsure") for n in os.listdir(folder))
    except OSError:
        return False


def _one_file(command, rest):
    if not rest:
        from .recording import nearest

        hint = nearest("run.memsure")
        raise Usage(
            f"{command} needs a recording",
            f"memsure {command} run.memsure" if not hint else hint.replace("report", command, 1),
        )
    if len(rest) > 1:
        raise Usage(
            f"{command} takes one recording; '{rest[1]}' is one too many",
            f"memsure {command} {rest[0]}",
        )
    return rest[0]


def _snapshot(settings, rest):
    import os

    if rest and rest[0].isascii() and rest[0].isdigit() and not os.path.exists(rest[0]):
        if len(rest) > 1:
            raise Usage(
                f"snapshot takes one process; '{rest[1]}' is one too many",
                f"memsure snapshot {rest[0]}",
            )
        from . import ask

        return ask.command(settings, rest[0])
    from . import asking

    return asking.snapshot(settings, rest)


def _report(settings, rest):
    path = _one_file("report", rest)
    from . import recording, report, text
    from .progress import Progress

    with Progress(f"reading {path}"):
        loaded = recording.load(path)
        if settings.process is not None:
            loaded = loaded.only(settings.process)
        if settings.format == "json" or settings.json:
            import json

            out = json.dumps(report.data(loaded, settings.sort or "peak", settings.filter), ensure_ascii=False) + "\n"
        else:
            paper = text.paper_for(sys.stdout, settings.color or "auto", settings.width)
            if settings.lines is not None:
                out = report.annotated(loaded, settings.lines, paper, settings.all)
            else:
                show = 1 if settings.show is None else settings.show
                out = report.render(loaded, paper, show, settings.all, settings.sort, settings.filter)
    write(sys.stdout, out)
    return 0


def _check(settings, rest):
    from . import check, recording
    from .progress import Progress

    status = 0
    try:
        if settings.command or rest and rest[0].endswith(".py"):
            loaded, status = _recorded(rest, settings)
        else:
            loaded = recording.load(_one_file("check", rest))
        if settings.process is not None:
            loaded = loaded.only(settings.process)
        with Progress(f"reading {loaded.path}"):
            return check.check(settings, loaded, status)
    except check.Wrong as e:
        raise Usage(str(e), e.hint) from None


def _recorded(words, settings):
    """Record a command for check -> (recording, the program's exit status); its output goes to
    stderr, so that stdout is the findings' alone."""
    import os
    import shutil
    import tempfile

    from . import _core, recording
    from .run import command_line, snapshots

    if not words:
        raise Usage("check needs a recording or a command", "memsure check -- pytest tests")
    argv = command_line(words if words[0].endswith(".py") else ["--", *words])
    folder = tempfile.mkdtemp(prefix="memsure-")
    path = os.path.join(folder, "run.memsure")
    saved = os.dup(1)
    try:
        os.dup2(2, 1)
        try:
            ended = _core.run(argv, path, "line", {"children": 1, "replace": 1, **snapshots(None)})
        finally:
            os.dup2(saved, 1)
        if ended.get("problem"):
            complain(ended["problem"], word="warning")
        if not ended.get("recordings"):
            raise Usage("nothing was recorded: no CPython that memsure knows ran", "memsure check app.py")
        code = int(ended.get("exit_code") or 0)
        return recording.load(path), 128 + code if ended.get("exit_kind") == "signal" else code
    except OSError as e:
        raise Usage(f"cannot run '{argv[0]}': {(e.strerror or str(e)).lower()}", f"memsure check -- sh {argv[0]}") from None
    finally:
        os.close(saved)
        shutil.rmtree(folder, ignore_errors=True)


def _explain(settings, rest):
    from . import rules, text

    paper = text.paper_for(sys.stdout, settings.color or "auto", settings.width)
    if not rest:
        shown = [f"{paper.left(r.id, 4)} {r.title}" + (" (not looked for)" if r.declined else "") for r in rules.RULES.values()]
        write(sys.stdout, paper.finish([paper.cut(line, paper.width) for line in shown]))
        return 0
    out = []
    for word in rest:
        rule = rules.find(word)
        if rule is None:
            raise Usage(f"there is no rule '{word}'", "memsure explain", "(lists them all)")
        out.append(rules.explain(rule, paper))
    write(sys.stdout, "\n".join(out))
    return 0


def _export(settings, rest):
    path = _one_file("export", rest)
    if settings.to is None:
        raise Usage(
            "export needs a format: --to " + _or(FORMATS), f"memsure export {path} --to speedscope"
        )
    from . import recording

    if settings.to == "heapsnapshot":
        from . import export

        if settings.metric or settings.process is not None:
            option = "--metric" if settings.metric else "--process"
            raise Usage(f"{option} is not for --to heapsnapshot", f"memsure export {path} --to heapsnapshot")

        return export.snapshot(path, settings.output, settings.at)
    if settings.at:
        raise Usage("--at is for --to heapsnapshot", f"memsure export {path} --to heapsnapshot --at {settings.at}")
    loaded = recording.load(path)
    if settings.process is not None:
        loaded = loaded.only(settings.process)
    from . import export
    from .progress import Progress

    with Progress(f"reading {path}"):
        return export.main(loaded, settings.to, settings.output, settings.metric)
