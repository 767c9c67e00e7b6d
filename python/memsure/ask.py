"""`memsure snapshot PID`: ask a process that memsure records for a snapshot, into a file.

The process itself takes it, at its next safe moment; a process of its own writes it. See
src/monitor/ask.c.
"""

import os
import sys

from .cli import Usage, write

WAIT = 5.0


def command(settings, word):
    """The snapshot command for a PID; returns the exit status."""
    from . import _core

    pid = number(word)
    path = output(settings.output, pid)
    wait = seconds("--wait", settings.wait) if settings.wait else WAIT
    stop_at_once()
    answer = _core.ask(pid, os.path.abspath(path), wait, settings.values)
    if isinstance(answer, tuple):
        sentence, hint = answer
        if not hint:
            hint = f"sudo memsure snapshot {pid}" if "ermission" in sentence else "pgrep -a python"
        raise Usage(sentence, hint)
    paused = answer["pause_ns"] / 1e6
    if not settings.quiet:
        write(sys.stderr, f"memsure: snapshot of process {pid} in {path}; it paused for {paused:.1f} ms\n")
    return 0


def number(word):
    """A PID; raises Usage where it can be none.

    >>> number("4121")
    4121
    """
    if len(word) > 9 or int(word) == 0:
        raise Usage(f"no process has the number {word}")
    return int(word)


def output(wanted, pid):
    """Where the snapshot goes: a name that is free, unless the user chose one."""
    from .run import writable

    if wanted is None:
        writable(".")
        n = 1
        while os.path.lexists(path := f"snapshot-{pid}{f'-{n}' if n > 1 else ''}.memsure"):
            n += 1
        return path
    folder = os.path.dirname(wanted) or "."
    if not os.path.isdir(folder):
        raise Usage(f"the folder '{folder}' does not exist", f"mkdir -p {folder}")
    if os.path.lexists(wanted):
        raise Usage(f"'{wanted}' is there already", f"memsure snapshot {pid} -o another.memsure")
    writable(folder)
    return wanted


def seconds(option, text, joined=" "):
    """A time in seconds of an option's value; raises Usage where it is none.

    >>> seconds("--wait", "0.5")
    0.5
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.001 <= value < 1e6:
        raise Usage(f"{option} needs seconds, not '{text}'", f"{option}{joined}10")
    return value


def stop_at_once():
    """Ctrl-C while waiting ends this process, which holds nothing that must be given back."""
    import signal

    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    except ValueError:  # not the main thread
        pass
