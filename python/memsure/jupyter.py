"""In IPython and Jupyter: what a cell allocated, kept, and how high it went.

    %load_ext memsure

    %%memsure                     runs the cell, then says so, with its top lines
    %memsure rows = load()        the same of one statement
    %memsure                      what was kept since the extension was loaded

Recording begins with %load_ext, in this process, and ends with it; its file is thrown away. Where `memsure run`
records already, that is used. Figures are exact counters and include threads that run meanwhile. What a cell keeps
is also what IPython keeps for it: its output history, and a traceback's frames.
"""

import os

NAMED = 5
_folder = None  # of the recording that begins here
_began = None  # the mark made then


class Stopped(Exception):
    """It cannot be done: a sentence."""


def load(shell):
    """load_ipython_extension: begin to record, and register the magics."""
    global _folder, _began
    import memsure
    from memsure import _core

    try:
        _began = memsure.mark()
    except _core.Error:
        import atexit
        import tempfile

        _folder = tempfile.mkdtemp(prefix="memsure-")
        try:
            memsure.start(os.path.join(_folder, "jupyter.memsure"))
        except (_core.Error, OSError) as e:
            _remove()
            print(f"error: memsure cannot record here: {e}")
            return
        _began = memsure.mark()
        atexit.register(unload)
    probe = memsure.mark()
    made = [bytearray(1000) for _ in range(8)]
    if probe.since().allocated_blocks < 16:
        del made
        unload()
        print("error: memsure sees no memory here: another allocator was chosen\n  try: start the kernel without PYTHONMALLOC and -X dev")
        return

    def words(line, cell=None):
        """What memory a cell (%%memsure) or a line (%memsure WORDS) allocates, keeps, and takes at
        its peak, by line. %memsure alone: since %load_ext memsure."""
        magic(shell, line, cell)

    shell.register_magic_function(words, "line_cell", "memsure")


def unload(shell=None):
    global _began
    _began = None
    if _folder is not None:
        import atexit

        import memsure

        atexit.unregister(unload)
        try:
            memsure.stop()
        except Exception:  # a cell has ended it
            pass
        _remove()
    if shell is not None:
        for kind in shell.magics_manager.magics.values():
            kind.pop("memsure", None)


def _remove():
    global _folder
    import shutil

    shutil.rmtree(_folder, ignore_errors=True)
    _folder = None


def magic(shell, line, cell):
    """%memsure and %%memsure"""
    from memsure import _core

    try:
        if cell is None and not line.strip():
            print(said("since %load_ext memsure", _began, shell))
            return
        if cell is not None and line.strip():
            print(f"error: %%memsure has no '{line.strip()}'\n  try: %%memsure alone on the cell's first line")
            return
        import gc

        import memsure

        if awaits(shell, cell if cell is not None else line):
            print("error: what awaits cannot be run inside of a magic\n  try: m = memsure.mark() before it, m.since() after it")
            return
        gc.collect()  # what is garbage by now is not the cell's
        mark = memsure.mark()
        result = shell.run_cell(cell if cell is not None else line, store_history=False)
        text = said("this cell" if cell is not None else "this line", mark, shell, getattr(result, "error_in_exec", None))
    except (_core.Error, AttributeError) as e:
        text = f"error: {e if isinstance(e, _core.Error) else 'nothing is recorded'}\n  try: %reload_ext memsure"
    print(text)


def awaits(shell, code):
    """Whether it needs an event loop while one runs already, as a kernel's does."""
    import asyncio

    try:
        asyncio.get_running_loop()
        return shell.should_run_async(code, transformed_cell=shell.transform_cell(code))
    except (RuntimeError, AttributeError):
        return False


def said(what, mark, shell, error=None):
    """The figures since a mark, as text; what dies in a collection now is told apart."""
    import gc

    from .text import cells, size

    before = mark.since()
    gc.collect()
    after, lines = mark.since(), mark.lines()
    garbage = before.live_bytes - after.live_bytes
    head = f"{what}: {size(before.allocated_bytes)} allocated, {size(max(0, after.live_bytes))} kept, peak +{size(before.peak_bytes)}"
    if garbage >= 1024:
        head += f"; {size(garbage)} was garbage in circles"
    out = [head]
    theirs = [x for x in lines if x.file and not is_shells(x.file)]
    own = [x for x in theirs if is_theirs(x.file, shell)]
    if error and own or 2 * sum(x.allocated_bytes for x in own) >= sum(x.allocated_bytes for x in theirs):
        theirs = own  # else a library did it for them
    top = sorted(theirs, key=lambda x: (-max(x.peak_bytes or 0, x.live_bytes), -x.allocated_bytes, x.file, x.line))
    rows = [(size(x.allocated_bytes), size(max(0, x.live_bytes)), "" if x.peak_bytes is None else size(max(0, x.peak_bytes)),
             place(x, shell), source(x)) for x in top[:NAMED] if x.allocated_bytes >= 64]
    if rows:
        rows.insert(0, ("allocated", "kept", "at peak", "line", ""))
        width = [max(cells(r[i]) for r in rows) for i in range(4)]
        for r in rows:
            out.append("  " + "  ".join(" " * (w - cells(t)) + t for w, t in zip(width[:3], r)) + "  " + r[3] + " " * (width[3] - cells(r[3])) + "  " + r[4])
    return "\n".join(x.rstrip() for x in out).replace("\u00a0", " ")


def cell_name(file, shell):
    """'cell' or 'In[3]' of a file name that IPython gave to a cell's code, or None."""
    compiler = getattr(shell, "compile", None)
    names = getattr(compiler, "_filename_map", {})
    if file in names:
        number = names[file]
        return f"In[{number}]" if number else "cell"
    return "cell" if file.startswith("<ipython-input-") or f"{os.sep}ipykernel_" in file else None


def is_theirs(file, shell):
    """Whether a file is a cell, or code of no installed package."""
    if cell_name(file, shell) is not None:
        return True
    from .source import OWN, Sources

    return bool(file) and file[0] not in "<(" and Sources().kind(file) == OWN


def is_shells(file):
    return any(f"{os.sep}{name}{os.sep}" in file for name in ("IPython", "ipykernel", "traitlets", "memsure", "asyncio", "tornado"))


def place(x, shell):
    from .source import Sources

    cell = cell_name(x.file, shell)
    return f"{cell}:{x.line}" if cell else Sources(os.getcwd()).place(x.file, x.line)


def source(x):
    import linecache

    return linecache.getline(x.file, x.line).strip()[:70]
