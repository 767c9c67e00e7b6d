"""memsure: find what your Python program's memory is doing, and what to change."""

__version__ = "0.1.0"

_attendant = None
_recorded = False                   # a recorder came by start(): True while it counts, None when it was stopped

# What is loaded when it is first asked for: an import of memsure is light.
_LAZY = {"pooled": "memsure.pools", "NotPooled": "memsure.pools", "buffers": "memsure.buffers"}

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memsure import buffers as buffers
    from memsure.pools import NotPooled as NotPooled, pooled as pooled


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module 'memsure' has no attribute {name!r}")
    import importlib

    module = importlib.import_module(_LAZY[name])
    value = globals()[name] = module if module.__name__.endswith(f".{name}") else getattr(module, name)
    return value


def start(path="run.memsure", *, exact=False, sample_bytes=512 << 10):
    """Record this process from now on, into the file `path`; stop() or the process's end completes it.

    What was allocated before stays with its old allocator and is called "before memsure". Whole
    programs are better recorded by `memsure run`, which sees everything. `exact`: every stack, not a
    sample of one in `sample_bytes` bytes. After stop() a process may be recorded again: what it still
    holds from before is "before memsure", then, too. Raises OSError where the path cannot be written,
    _core.Error where the recorder cannot start.

    >>> import memsure
    >>> memsure.start("job.memsure")          # doctest: +SKIP
    >>> work()                                # doctest: +SKIP
    >>> memsure.stop()                        # doctest: +SKIP
    'job.memsure'
    """
    global _attendant
    import os
    import subprocess
    import sys

    from memsure import _core
    path = os.fspath(path)
    if _attendant:
        raise _core.Error("this process is recorded already: memsure.stop() ends that")
    try:
        _core.mark()
    except _core.Error:
        pass
    else:
        raise _core.Error("this process is recorded already, from its start")
    if os.path.exists(path):
        raise FileExistsError(17, "there is something at the recording's path already", path)
    mode = "exact" if exact else "line"
    attendant = subprocess.Popen([sys.executable, "-P", "-m", "memsure._attend", path, mode, str(sample_bytes)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    attendant.wait()                # it has a child by now, which is no child of ours
    folder = os.fsdecode(attendant.stdout.readline()).rstrip("\n")
    if not folder.startswith("/"):
        raise _core.Error(folder.lstrip("!") or "the monitor did not start")
    _core.start(folder, mode, sample_bytes)
    _attendant = attendant, path
    _pools_see(True)


def mark():
    """The exact counters of this recorded process now; mark().since() and .lines() say what happened
    since. See memsure.marks."""
    from .marks import Mark

    return Mark()


def stop():
    """End the recording that start() began; returns its path when it is written."""
    global _attendant
    from memsure import _core
    if not _attendant:
        raise _core.Error("nothing is recorded: memsure.start() begins that")
    (attendant, path), _attendant = _attendant, None
    _core.stop()
    _pools_see(None)
    attendant.stdin.close()
    problem = attendant.stdout.read().decode(errors="replace").strip()
    attendant.stdout.close()
    if problem:
        raise _core.Error(problem.lstrip("!"))
    return path


def snapshot(path=None, *, values=False, wait=True, fork=True):
    """Write all objects of this process to the file `path`, and return that path.

    The program stands still for a fork only; a child process reads the objects and writes the file.
    `path`: a file that may be replaced; None: memsure-PID-N.memsure in the current folder, where nothing
    is replaced. `values`: store what strings, bytes and numbers say, too; without it only names are.
    `wait=False`: return at once; the file appears, whole, a moment later. `fork=False`: no child process; the program
    stands still until the file stands. For systems that refuse a copy of the process. Works under `memsure run`,
    where every object carries its birth line, and in any other program. Raises _core.Error.

    >>> import memsure
    >>> path = memsure.snapshot("now.memsure")          # doctest: +SKIP
    """
    import os

    from memsure import _core
    if path is None:
        n = 1
        while os.path.exists(path := f"memsure-{os.getpid()}-{n}.memsure"):
            n += 1
    path = os.fspath(path)
    _running[:] = [running for running in _running if not _core.snapshot_done(running)]
    running = _core.snapshot(path, values=values, wait=wait, fork=fork)
    if not wait:
        _running.append(running)
    return path


def load_ipython_extension(shell):
    """%load_ext memsure: the magics %memsure and %%memsure. See memsure.jupyter."""
    from .jupyter import load

    load(shell)


def unload_ipython_extension(shell):
    from .jupyter import unload

    unload(shell)


_running = []       # snapshots that nobody waits for; their processes are noted as ended at the next one


def _pools_see(recorded):
    """Pools keep no memory while a recorder counts: every birth is to be seen."""
    global _recorded
    import sys

    _recorded = recorded
    if pool := sys.modules.get("memsure._pool"):
        pool.recording(bool(recorded))
