"""Source text beside the figures: the line, the caret below it, and whose code a file is.

A file may be gone, changed, or not a file at all (`<string>`, `<frozen os>`): then there is no
text, never an error. Files named relative to the recorded program's working directory are looked
for there. The code of `python -c` is taken from the recorded arguments.

Columns come from CPython's co_positions: byte offsets into the UTF-8 line, -1 where unknown.
`marked()` turns them into cells.
"""

import os
import stat

from . import text

OWN, LIBRARY, STANDARD, NOWHERE = "own", "lib", "std", ""
LARGEST = 16 << 20  # a source file beyond this is not read for one line's text


class Sources:
    """The source files of one recording: `line()`, `place()`, `kind()`. Each file is read once, and
    only if asked for."""

    def __init__(self, cwd="", argv=(), started_ns=0):
        self.cwd = cwd
        self.started_ns = started_ns
        self.code = None  # the text after -c
        if "-c" in argv[1:-1]:
            self.code = argv[argv.index("-c", 1) + 1]
        self._lines = {}
        self._kinds = {}
        self._changed = set()
        self._standard = os.path.dirname(os.path.realpath(os.__file__)) + "/"

    def path(self, file):
        """Where the file is on this machine, as far as the recording tells; for './app.py' Python
        says '/folder/./app.py'."""
        return os.path.normpath(os.path.join(self.cwd or "", file))

    def lines(self, file):
        """All lines of a file, without line ends; an empty list where there is no text."""
        found = self._lines.get(file)
        if found is None:
            found = self._lines[file] = self._read(file)
        return found

    def _read(self, file):
        if file == "<string>" and self.code is not None:
            return self.code.split("\n")
        if not file or file[0] == "<":
            return []
        try:
            # Never wait for a pipe or read a device that happens to have the name of a source file.
            fd = os.open(self.path(file), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError):
            return []
        try:
            about = os.fstat(fd)
            if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
                return []
            with os.fdopen(fd, "rb", closefd=False) as f:
                data = f.read(LARGEST)
            if self.started_ns and about.st_mtime_ns > self.started_ns:
                self._changed.add(file)
        except OSError:
            return []
        finally:
            os.close(fd)
        return _decode(data).split("\n")

    def line(self, file, number):
        """One line's text or None."""
        lines = self.lines(file)
        return lines[number - 1] if 1 <= number <= len(lines) else None

    def function(self, file, number):
        """The qualified name of the function or class that a line stands in, by the source: '' where that cannot be read."""
        import ast

        try:
            nodes = ast.walk(ast.parse("\n".join(self.lines(file))))  # the outer before the inner
        except (SyntaxError, ValueError, RecursionError):
            return ""
        name = ""
        for node in nodes:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.lineno <= number <= node.end_lineno:
                name += node.name + ("." if isinstance(node, ast.ClassDef) else ".<locals>.")
        return name.removesuffix(".").removesuffix(".<locals>") or "<module>"

    def changed(self, file):
        """True if the file is younger than the recording: its lines may have moved."""
        self.lines(file)
        return file in self._changed

    def kind(self, file):
        """Whose code: OWN, LIBRARY (installed packages), STANDARD (library), NOWHERE (no Python
        file)."""
        kind = self._kinds.get(file)
        if kind is None:
            kind = self._kinds[file] = self._kind(file)
        return kind

    def _kind(self, file):
        if not file:
            return NOWHERE
        if file[0] == "<":
            return STANDARD if file.startswith("<frozen") else OWN
        if _after_packages(file):
            return LIBRARY
        if file.startswith(self._standard) or _after_standard(file):
            return STANDARD
        return OWN

    def place(self, file, line=0):
        """How a place is written: 'shop/cache.py:20', 'pandas/core/frame.py:812',
        'json/encoder.py:200'."""
        if not file:
            return "(no Python frame)"
        name = _after_packages(file)
        if not name and self.kind(file) == STANDARD:
            name = (
                file[len(self._standard) :]
                if file.startswith(self._standard)
                else _after_standard(file)
            )
        if not name:
            name = os.path.normpath(file)
            if self.cwd and self.cwd != "/" and name.startswith(self.cwd + "/"):
                name = name[len(self.cwd) + 1 :]
        return f"{name}:{line}" if line > 0 else name

    def package(self, file):
        """The top-level name a file belongs to: 'pandas', 'json'."""
        name = self.place(file)
        if name.startswith("<frozen "):
            name = name[8:-1].replace(".", "/")
        top = name.strip("/").split("/", 1)[0]
        return top[:-3] if top.endswith(".py") else top


def _after_packages(file):
    for folder in ("/site-packages/", "/dist-packages/"):
        at = file.rfind(folder)
        if at >= 0:
            return file[at + len(folder) :]
    return ""


def _after_standard(file):
    at = file.find("/lib/python3.")
    if at < 0:
        return ""
    return file[at + 13 :].partition("/")[2]


def _decode(data):
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    import re

    for line in data.split(b"\n", 2)[:2]:
        cookie = re.match(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", line)
        if cookie:
            try:
                return data.decode(cookie[1].decode("ascii"), "replace")
            except LookupError:
                break
    return data.decode("utf-8", "replace")


def marked(line, column, end_column, paper, room):
    """The line without its indentation, and the cells under which carets belong -> (text, start,
    length).

    column and end_column are byte offsets (-1: unknown, then the whole line is marked). Where the
    text is wider than room, a window around the marked part is shown.

    >>> marked("    return load(key)", 11, 20, text.Paper(), 60)
    ('return load(key)', 7, 9)
    """
    raw = line.encode("utf-8", "surrogateescape")
    indent = len(line) - len(line.lstrip())
    body = line.strip()
    if 0 <= column < len(raw):
        start = len(raw[:column].decode("utf-8", "replace")) - indent
        end = (
            len(raw[:end_column].decode("utf-8", "replace")) - indent
            if end_column > column
            else len(body)
        )
        start, end = max(0, start), min(len(body), end)
    else:
        start, end = 0, len(body)
    if end <= start:
        start, end = 0, len(body)
    before, middle, after = (
        paper.fix(part.replace("\t", " ")) for part in (body[:start], body[start:end], body[end:])
    )
    dots = text.cells(paper.dots)
    if text.cells(before + middle + after) > room:
        keep = max(room // 4, room - text.cells(middle) - text.cells(after) - dots)
        before = paper.cut_front(before, keep) if text.cells(before) > keep else before
        middle = paper.cut(middle, room - text.cells(before))
        after = paper.cut(after, room - text.cells(before) - text.cells(middle))
    return before + middle + after, text.cells(before), max(1, text.cells(middle))
