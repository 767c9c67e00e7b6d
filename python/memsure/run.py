"""`memsure run`: find out what is to run and where the record goes, let `_core.run` record it,
report, and end as the program ended.

Nothing of memsure happens between the program's start and its end but the monitor in C; the program
is executed as it would be from a shell. Everything that can be known to be wrong is said before it
starts (exit 2); once it has run, its own end is ours: the same exit status, or the same signal.
"""

import errno
import os
import sys

from .cli import Usage, complain, failed, write


def run(settings, words):
    """The run command; returns the program's exit status, or does not return."""
    from . import _core

    argv = command_line(words)
    photos = snapshots(settings.snapshot, settings.values)
    if descriptors() < DESCRIPTORS:
        return unrecorded(settings, argv)
    session = output(settings.output)
    if settings.show is None:
        settings.show = 1
    # The name is ours by now: reserved, or named by the user and looked at.
    options = {"children": 0 if settings.no_children else 1, "replace": 1, **photos}
    distance = os.environ.get("MEMSURE_SAMPLE_BYTES", "")
    if distance.isascii() and distance.isdigit() and 0 < len(distance) < 19:
        options["sample_bytes"] = int(distance)
    mode = "exact" if settings.exact else "line"
    try:
        ended = _core.run(argv, session, mode, options)
    except _core.Error as e:
        refused = str(e).endswith((os.strerror(errno.EACCES), os.strerror(errno.EROFS)))
        raise Usage(str(e), "-o /tmp/run.memsure" if refused else None) from None
    except OSError as e:
        raise cannot_run(argv, e) from None
    finally:
        if settings.output is None:
            release(session)
    try:
        report(settings, ended, session)
    except KeyboardInterrupt:
        if not settings.quiet:
            complain(f"stopped; {session} is complete: memsure report {session}", word="note")
    except BrokenPipeError:
        from .cli import _drop_stdout

        _drop_stdout()
    except Exception as e:
        if type(e).__name__ == "Unreadable":
            complain(str(e), e.hint, word="warning")
        elif os.environ.get("MEMSURE_TRACEBACK"):
            raise
        else:
            failed(e, "; your program was not touched")
    return end_as(ended)


# What recording a program and one or two children takes: three for each, and those of the session.
DESCRIPTORS = 16


def descriptors():
    """How many files this process may have open, as far as that matters."""
    most = os.sysconf("SC_OPEN_MAX")
    if most < 0 or most >= DESCRIPTORS:
        return DESCRIPTORS
    import resource

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return most if most >= 0 else sys.maxsize


def unrecorded(settings, argv):
    """Become the program; returns only where it cannot be started."""
    import signal

    if not settings.quiet:
        complain(
            f"this process may have {descriptors()} files open, and recording takes {DESCRIPTORS}: your program is not recorded",
            f"ulimit -n {DESCRIPTORS}",
            word="warning",
        )
    for number in signal.SIGPIPE, signal.SIGXFSZ:  # which Python ignores for itself
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)
    except OSError as e:
        raise cannot_run(argv, e) from None


def cannot_run(argv, error):
    return Usage(f"cannot run '{argv[0]}': {(error.strerror or str(error)).lower()}", f"memsure run -- sh {argv[0]}")


def snapshots(word, values=False):
    """--snapshot and --values as options of _core.run; raises Usage where it is none.

    >>> snapshots(None)
    {'snapshot': 'peak,exit'}
    >>> snapshots("every=0.5,exit", True)
    {'snapshot': 'exit,values', 'every': 0.5}
    """
    given = (word or "peak,exit").split(",")
    own, out = [], {}
    for part in given:
        name, is_, value = part.partition("=")
        if part in ("exit", "peak"):
            own.append(part)
        elif part == "none" and len(given) == 1:
            pass
        elif name == "every":
            from .ask import seconds

            if not is_:
                raise Usage("--snapshot=every needs seconds", "--snapshot=every=10")
            out["every"] = seconds("--snapshot=every", value, "=")
        elif part == "none":
            raise Usage(f"--snapshot={word}: none stands alone", "--snapshot=none")
        else:
            raise Usage(
                f"--snapshot knows no '{part}'; it takes exit, peak, every=SECONDS or none",
                "--snapshot=peak,exit",
            )
    if values:
        own.append("values")
    return {"snapshot": ",".join(own), **out} if own else out


def command_line(words):
    """The argument list to execute; raises Usage where it cannot run.

    >>> command_line(["-m", "json.tool", "--help"])[-3:]
    ['-m', 'json.tool', '--help']
    """
    if not words:
        raise Usage("run needs a program", "memsure run app.py")
    first = words[0]
    if first == "--":
        if len(words) == 1:
            raise Usage("nothing stands after --", "memsure run -- pytest tests")
        find_command(words[1])
        return words[1:]
    if first[:2] in ("-m", "-c"):
        if len(first) == 2 and len(words) == 1:
            raise Usage(
                f"{first} needs {'a module' if first == '-m' else 'code'}",
                "memsure run -m pytest tests" if first == "-m" else "memsure run -c 'import json'",
            )
        return python() + words
    if not os.path.exists(first):
        raise Usage(f"'{first}' does not exist", *nearby(first, words[1:]))
    if os.path.isdir(first):
        if not os.path.exists(os.path.join(first, "__main__.py")):
            raise Usage(
                f"'{first}' is a folder without a __main__.py",
                f"memsure run {os.path.join(first, 'app.py')}",
            )
    else:
        other = interpreter_of(first)
        if other:
            raise Usage(
                f"'{first}' is a program for {other}, not for Python",
                "memsure run -- " + " ".join([first if "/" in first else "./" + first, *words[1:]]),
            )
        if not os.access(first, os.R_OK):
            raise Usage(f"'{first}' cannot be read", f"chmod u+r {first}")
    if first.startswith("-"):
        first = "./" + first
    return python() + [first, *words[1:]]


def python():
    """This interpreter, with the flags it was given as `python FLAGS -m memsure`: -X, -W, -O and
    the like hold for the program, too.

    The installed script's own flags (`#!python -sP`) are those of the script.
    """
    original = getattr(sys, "orig_argv", [])
    flags = list(original[1 : len(original) - len(sys.argv) + 1])
    if (
        len(flags) >= 1
        and flags[-1] == "memsure"
        and len(flags) >= 2
        and flags[-2][:1] == "-"
        and flags[-2].endswith("m")
    ):
        flags[-2:] = [flags[-2][:-1]] if flags[-2] != "-m" else []
    elif flags and flags[-1].startswith("-") and flags[-1].endswith("mmemsure"):
        flags[-1:] = [flags[-1][:-8]] if flags[-1] != "-mmemsure" else []
    else:
        flags = []
    return [sys.executable, *flags]


def find_command(word):
    """Raises Usage unless word can be executed."""
    if "/" in word:
        if not os.path.exists(word):
            raise Usage(f"'{word}' does not exist", *nearby(word, []))
        if os.path.isdir(word) or not os.access(word, os.X_OK):
            hint = f"memsure run {word}" if word.endswith(".py") else f"memsure run -- sh {word}"
            raise Usage(f"'{word}' is not executable", hint)
        return
    if not which(word):
        if os.path.exists(word):
            raise Usage(
                f"no command '{word}' is on the PATH",
                f"memsure run {'' if word.endswith('.py') else '-- ./'}{word}",
            )
        raise Usage(f"no command '{word}' is on the PATH", f"memsure run -m {word}", "(if it is a module)")


def which(word):
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder or ".", word)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def interpreter_of(path):
    """The other interpreter that a script's first line names, or None."""
    if path.endswith((".py", ".pyz", ".zip", ".pyc")):
        return None
    try:
        with open(path, "rb") as f:
            head = f.read(256)
    except OSError:
        return None
    if head.startswith(b"\x7fELF"):
        return "the machine"
    if not head.startswith(b"#!"):
        return None
    line = head[2:].split(b"\n")[0].decode("utf-8", "replace").split()
    if not line or any("python" in word or "pypy" in word for word in line):
        return None
    name = line[-1] if line[0].endswith("/env") and len(line) > 1 else line[0]
    return name.rpartition("/")[2]


def nearby(word, rest):
    """What was perhaps meant instead of a file that does not exist -> (command, remark)."""
    from difflib import get_close_matches

    folder = os.path.dirname(word)
    tail = "".join(" " + w for w in rest)
    try:
        names = [
            n for n in os.listdir(folder or ".") if n.endswith(".py") or n == os.path.basename(word)
        ]
    except OSError:
        names = []
    close = get_close_matches(os.path.basename(word), names, 1, 0.6)
    if close:
        return (
            f"memsure run {os.path.join(folder, close[0])}{tail}",
            f"(found in {'this folder' if not folder else folder})",
        )
    if "/" not in word and which(word):
        return f"memsure run -- {word}{tail}", "(a command on the PATH)"
    if not word.endswith(".py") and "/" not in word:
        return f"memsure run -m {word}{tail}", "(if it is a module)"
    scripts = sorted(n for n in names if n.endswith(".py"))
    if scripts:
        return f"memsure run {os.path.join(folder, scripts[0])}{tail}", f"(found in {'this folder' if not folder else folder})"
    return None, ""


def output(wanted):
    """Where the record goes; raises Usage where nothing can be written, or something else would be
    lost."""
    if wanted is None:
        writable(".")
        return reserve()
    path = wanted
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise Usage(f"the folder '{folder}' does not exist", f"mkdir -p {folder}")
    if path.endswith("/") or os.path.isdir(path):
        taken = os.path.isdir(path) and any(n.endswith(".memsure") for n in os.listdir(path))
        raise Usage(
            f"'{path}' is a folder" + (" with a recording of several processes" if taken else ""),
            f"-o {os.path.join(path, 'run.memsure') if not taken else 'run-2.memsure'}",
        )
    if os.path.exists(path):
        from .recording import foreign

        if not os.path.isfile(path) or foreign(path) not in (None, "it is empty"):
            raise Usage(
                f"'{path}' is there, and is no recording",
                f"-o {path.rpartition('.')[0] or path}.memsure",
            )
    writable(folder)
    return path


def writable(folder):
    """Raises Usage unless files can be made in a folder."""
    if not os.access(folder, os.W_OK | os.X_OK):
        where = "this folder" if folder == "." else f"'{folder}'"
        raise Usage(f"{where} cannot be written to", "-o /tmp/run.memsure")


def reserve():
    """The first of run.memsure, run-2.memsure, ... that is free, as an empty file: two runs that
    start at once get two names. The recording replaces it; release() removes it if none did."""
    n = 1
    while True:
        path = f"run-{n}.memsure" if n > 1 else "run.memsure"
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            return path
        except FileExistsError:
            n += 1
        except OSError as e:
            raise Usage(
                f"cannot write {path}: {e.strerror.lower()}", "-o /tmp/run.memsure"
            ) from None


def release(path):
    try:
        if os.path.getsize(path) == 0 and not os.path.isdir(path):
            os.unlink(path)
    except OSError:
        pass


def report(settings, ended, session):
    """What is said after the program ended."""
    problem, recordings = ended.get("problem"), ended.get("recordings") or []
    if settings.quiet:
        return
    if problem:
        complain(problem, word="warning")
    for path in ended.get("snapshots") or ():
        beside = os.path.realpath(os.path.dirname(session) or ".") == os.path.dirname(path)
        name = os.path.join(os.path.dirname(session), os.path.basename(path)) if beside else path
        complain(f"a snapshot is in {name}", word="note")
    if not recordings:
        if not problem:
            complain("nothing was recorded: no CPython that memsure knows ran", word="note")
        return
    from .report import shell_word

    path = session if os.path.exists(session) else recordings[0]
    if settings.no_report:
        write(sys.stderr, f"memsure: recorded in {path}   memsure report {shell_word(path)}\n")
        if not settings.json:
            return
    from . import recording, report as reports, text
    from .progress import Progress

    with Progress(f"analysing {path}"):
        loaded = recording.load(path)
        if settings.json:
            import json

            out = json.dumps(reports.data(loaded), ensure_ascii=False) + "\n"
        else:
            paper = text.paper_for(sys.stderr, settings.color or "auto", settings.width)
            out = "\n" + reports.render(loaded, paper, settings.show, settings.all)
    write(sys.stdout if settings.json else sys.stderr, out)


def end_as(ended):
    """Return the program's exit status, or die of its signal (without a core file of our own)."""
    code = int(ended.get("exit_code") or 0)
    if ended.get("exit_kind") != "signal":
        return code
    import resource
    import signal

    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        if code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [code])
        os.kill(os.getpid(), code)
    except (OSError, ValueError):
        pass
    os._exit(128 + code)  # it did not end us: say it as shells do
