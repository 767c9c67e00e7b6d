"""Numbers, units, colour and width: how a figure or a name becomes cells on a screen.

A `Paper` is what is written on: so many cells wide, with or without colour, with or without
Unicode. Everything that is laid out passes `Paper.fix()` first, so that widths are those of what
really appears: control characters escaped, and without Unicode the signs of `ASCII` exchanged (→
becomes ->).

Colour is in-band: `paint()` puts escape sequences around text, and `cells()` does not count them.
That is safe since `fix()` has escaped every control character that came from outside.

A figure and its unit are joined by a no-break space, which `wrap()` does not break at and
`finish()` turns into a plain one. Bytes are IEC (1024) with three significant digits, counts SI,
time as spoken (3 min 20 s).
"""

import os

NBSP = "\u00a0"
ASCII = str.maketrans(
    {
        "→": "->",
        "⇄": "<->",
        "×": "x",
        "…": "...",
        "−": "-",
        "±": "+-",
        "·": "-",
        "█": "#",
        "≥": ">=",
        "≤": "<=",
        "—": "-",
        "–": "-",
        "“": '"',
        "”": '"',
        "’": "'",
        **dict(zip("▁▂▃▄▅▆▇", "_.:-=+*")),
    }
)
BARS = "▁▂▃▄▅▆▇█"
SGR = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
WIDEST = 120
NARROWEST = 24


# -- figures -------------------------------------------------------------------------------------


def three(value):
    """Three significant digits of 0 <= value < 1000: '1.24', '59.0', '168'.

    >>> three(1.239), three(9.996), three(58.96), three(999.4)
    ('1.24', '10.0', '59.0', '999')
    """
    for decimals, below in ((2, 9.995), (1, 99.95)):
        if value < below:
            return f"{value:.{decimals}f}"
    return f"{value:.0f}"


def size(n):
    """Bytes: '12 B', '1.24 GiB', never wider than 8 cells (1,023 KiB is written 1.00 MiB).

    >>> [size(n).replace(NBSP, " ") for n in (0, 12, 999, 1023, 1331439862, 168 << 20, 1023 << 10)]
    ['0 B', '12 B', '999 B', '1.00 KiB', '1.24 GiB', '168 MiB', '1.00 MiB']
    """
    if n < 1000:
        return f"{int(n)}{NBSP}B"
    value, unit = float(n), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value /= 1024
        unit += 1
    return f"{three(value)}{NBSP}{UNITS[unit]}"


def change(n):
    """A change of bytes always carries its sign: '+31.0 MiB', '−8.00 MiB'."""
    return ("−" if n < 0 else "+") + size(abs(n))


def with_error(value, error):
    """'31.0 ± 0.4' MiB: a change per something in one unit, the last digits aligned; error is half
    the 95 % interval.

    >>> with_error(31.04 * 2**20, 0.4 * 2**20).replace(NBSP, " ")
    '+31.0 ± 0.4 MiB'
    """
    sign = "−" if value < 0 else "+"
    value, unit = abs(value), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, error = value / 1024, error / 1024
        unit += 1
    shown = three(value) if unit else f"{value:.0f}"
    decimals = len(shown.partition(".")[2])
    least = 10**-decimals
    return f"{sign}{shown}{NBSP}±{NBSP}{max(error, least):.{decimals}f}{NBSP}{UNITS[unit]}"


def count(n):
    """SI from 10,000 on, exact with commas below: '9,210', '310 k', '1.94 M'.

    >>> [count(n).replace(NBSP, " ") for n in (0, 9999, 12345, 999600, 1940000, 88100000)]
    ['0', '9,999', '12.3 k', '1.00 M', '1.94 M', '88.1 M']
    """
    if n < 10_000:
        return f"{n:,}"
    value = float(n)
    for unit in ("k", "M", "G", "T", "P"):
        value /= 1000
        if value < 999.5:
            break
    return f"{three(value)}{NBSP}{unit}"


def seconds(s, digits=3):
    """Time as spoken: '40 ms', '9.80 s', '41.2 s', '3 min 20 s', '2 h 05 min'.

    >>> [seconds(s).replace(NBSP, " ") for s in (0.0004, 0.04, 0.9996, 9.8, 96, 200, 7500)]
    ['0.4 ms', '40 ms', '1.00 s', '9.80 s', '96.0 s', '3 min 20 s', '2 h 05 min']
    """
    if s < 0.00095:
        return f"{s * 1000:.1f}{NBSP}ms" if s else f"0{NBSP}s"
    if s < 0.9995:
        return f"{s * 1000:.0f}{NBSP}ms"
    if s < 119.95:
        decimals = max(0, digits - (1 if s < 10 else 2 if s < 100 else 3))
        return f"{s:.{min(decimals, 2 if s < 10 else 1)}f}{NBSP}s"
    whole = round(s)
    if whole < 3600:
        return f"{whole // 60}{NBSP}min" + (f"{NBSP}{whole % 60}{NBSP}s" if whole % 60 else "")
    minutes = round(s / 60)
    return f"{minutes // 60}{NBSP}h{NBSP}{minutes % 60:02}{NBSP}min"


def percent(part, whole):
    """'0.4 %', '37 %': one decimal below 10; never '100 %' for less than all, nor '0.0 %' for more
    than nothing.

    >>> [percent(p, 1000).replace(NBSP, " ") for p in (0, 0.1, 4, 370, 999, 1000)]
    ['0 %', '<0.1 %', '0.4 %', '37 %', '99.9 %', '100 %']
    """
    if not whole:
        return f"-{NBSP}%"
    share = 100 * part / whole
    if share == 0 or share == 100:
        return f"{share:.0f}{NBSP}%"
    if share < 0.05:
        return f"<0.1{NBSP}%"
    if 99.5 <= share < 100:
        return f"{min(share, 99.9):.1f}{NBSP}%"
    return f"{share:.{1 if share < 9.95 else 0}f}{NBSP}%"


def shares(parts, unit, decimals):
    """Round the parts of a sum so that they add up to the rounded sum (largest remainder), in steps
    of 10**-decimals units.

    >>> shares([333, 333, 334], 1000, 2), shares([1, 1, 1], 2, 0)
    ((['0.33', '0.33', '0.34'], '1.00'), (['1', '1', '0'], '2'))
    """
    scale = 10**decimals
    total = sum(parts)
    goal = (2 * total * scale + unit) // (2 * unit)
    floors = [p * scale // unit for p in parts]
    rest = [p * scale % unit for p in parts]
    missing = goal - sum(floors)
    for i in sorted(range(len(parts)), key=lambda i: (-rest[i], i))[: max(0, missing)]:
        floors[i] += 1

    def shown(n):
        return f"{n // scale}.{n % scale:0{decimals}}" if decimals else str(n)

    return [shown(f) for f in floors], shown(goal)


def sum_unit(total):
    """The one unit and number of decimals that all rows of a sum share -> (bytes of the unit, its
    name, decimals)."""
    unit = 0
    value = float(total)
    while value >= 999.5 and unit < len(UNITS) - 1:
        value /= 1024
        unit += 1
    return 1024**unit, UNITS[unit], 0 if unit == 0 else 2 if value < 9.995 else 1


def bars(values, width):
    """The greatest of each stretch of values as a bar from zero: a timeline of at most `width`
    cells."""
    if not values or width < 1:
        return ""
    n, top = len(values), max(values)
    width = min(width, n)
    peaks = [
        max(values[i * n // width : max(i * n // width + 1, (i + 1) * n // width)])
        for i in range(width)
    ]
    return "".join(BARS[min(7, int(8 * v / top))] if top else BARS[0] for v in peaks)


# -- cells ---------------------------------------------------------------------------------------


def _plain(s):
    """Without escape sequences: `ESC [ ... m` and `ESC ] 8 ; ; url ESC \\`."""
    out, i = [], 0
    while True:
        j = s.find("\033", i)
        if j < 0:
            out.append(s[i:])
            return "".join(out)
        out.append(s[i:j])
        if s[j + 1 : j + 2] == "[":
            i = s.index("m", j) + 1
        else:
            i = s.index("\033\\", j) + 2


def cells(s):
    """How many cells s takes: wide characters two, combining ones none, escape sequences none."""
    if "\033" in s:
        s = _plain(s)
    if s.isascii():
        return len(s)
    from unicodedata import combining, east_asian_width, category

    n = 0
    for c in s:
        if combining(c) or category(c) in ("Mn", "Me", "Cf"):
            continue
        n += 2 if east_asian_width(c) in "WF" else 1
    return n


def escape(s):
    """Control characters, line and direction marks, and surrogates as escapes: a name cannot drive
    the terminal.

    >>> escape("a\\x1b[2Jb\\u202ec")
    'a\\\\x1b[2Jb\\\\u202ec'
    """
    if s.isascii() and s.isprintable():
        return s
    return "".join(c if c.isprintable() or c == NBSP or c in "\u200d" else _code(c) for c in s)


def _code(c):
    n = ord(c)
    return f"\\x{n:02x}" if n < 256 else f"\\u{n:04x}" if n < 0x10000 else f"\\U{n:08x}"


class Paper:
    """What is written on: width in cells, colour or not, Unicode or not."""

    def __init__(
        self, width=80, color=False, unicode=True, links=False, encoding="utf-8", wrap_tables=True
    ):
        self.width = max(NARROWEST, min(width, WIDEST))
        self.color = color
        self.unicode = unicode
        self.links = links and color
        self.encoding = encoding
        self.cut_tables = wrap_tables  # piped: rows are neither cut nor wrapped

    @property
    def dots(self):
        return "…" if self.unicode else "..."

    def sign(self, s):
        """Exchange our signs where there is no Unicode; keep escape sequences."""
        return s if self.unicode else s.translate(ASCII)

    def fix(self, s):
        """A text from outside (a name, a path, a source line): escaped, and possible in this
        encoding."""
        s = escape(s)
        if s.isascii():
            return s
        if not self.unicode:
            s = s.translate(ASCII)
            return "".join(c if c.isascii() or c == NBSP else _code(c) for c in s)
        return s

    def paint(self, s, *roles):
        """s in colour: paint(s, 'bold', 'red'). Each colour has one meaning, see docs/REPORT.md."""
        if not self.color or not s or not roles:
            return s
        return f"\033[{';'.join(SGR[r] for r in roles)}m{s}\033[0m"

    def link(self, s, path, line=None):
        """s as a hyperlink (OSC 8) to a file, on terminals that have them."""
        if not self.links or not path.startswith("/"):
            return s
        safe = "".join(
            c
            if c.isascii() and (c.isalnum() or c in "/._-~")
            else "".join(f"%{b:02X}" for b in c.encode("utf-8", "surrogateescape"))
            for c in path
        )
        return f"\033]8;;file://{safe}{f'#L{line}' if line else ''}\033\\{s}\033]8;;\033\\"

    def cut(self, s, width):
        """The first cells of s, with … where something is missing. For text without escape
        sequences."""
        if cells(s) <= width:
            return s
        room = width - len(self.dots)
        if room <= 0:
            return self.dots[: max(0, width)]
        while cells(s) > room:
            s = s[: max(1, min(len(s) - 1, room))] if len(s) > room else s[:-1]
        return s.rstrip() + self.dots

    def cut_front(self, s, width):
        """The last cells of s, with … in front: for paths."""
        if cells(s) <= width:
            return s
        while s and cells(s) > width - len(self.dots):
            s = s[1:]
        return self.dots + s

    def left(self, s, width):
        return s + " " * (width - cells(s))

    def right(self, s, width):
        return " " * (width - cells(s)) + s

    def wrap(self, s, first="", rest=None, width=None):
        """Lines of s, broken at spaces; `first` starts the first line, `rest` the others (blanks,
        as wide, if None)."""
        width = width or self.width
        first = self.sign(first)
        rest = " " * cells(first) if rest is None else self.sign(rest)
        out, line, used, empty = [], first, cells(first), True
        for word in self.sign(s).split(" "):
            w = cells(word)
            if not empty and used + 1 + w > width:
                out.append(line)
                line, used, empty = rest, cells(rest), True
            while empty and used + w > width and w > 12 and "\033" not in word and width - used > 4:
                head = word[: width - used]  # one word wider than the line: break it
                while cells(head) > width - used:
                    head = head[:-1]
                out.append(line + head)
                word = word[len(head) :]
                w, line, used = cells(word), rest, cells(rest)
            if not empty:
                line, used = line + " ", used + 1
            line, used, empty = line + word, used + w, False
        out.append(line)
        return out

    def between(self, left, right, width=None):
        """left ... right on one line; on two where they do not fit."""
        width = width or self.width
        left, right = self.sign(left), self.sign(right)
        gap = width - cells(left) - cells(right)
        if gap >= 2:
            return [left + " " * gap + right]
        return self.wrap(left) + [" " * max(0, width - cells(right)) + right]

    def finish(self, lines):
        """The lines as one text: no-break spaces become plain, no blanks at line ends."""
        return "".join(self.sign(line).replace(NBSP, " ").rstrip() + "\n" for line in lines)


def paper_for(stream, color="auto", width=None, env=None):
    """The paper that a stream is: a terminal's width and abilities, or what a pipe gets."""
    env = os.environ if env is None else env
    try:
        terminal = stream.isatty()
    except (AttributeError, ValueError):
        terminal = False
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("_", "-")
    term = env.get("TERM", "")
    unicode = encoding.startswith("utf") and term != "linux"
    if color == "auto":
        on = terminal and not env.get("NO_COLOR") and term != "dumb"
        forced = env.get("FORCE_COLOR")
        if forced and forced != "0" and not env.get("NO_COLOR"):
            on = True
    else:
        on = color == "always"
    if width is None:
        try:
            width = int(env.get("COLUMNS", ""))
        except ValueError:
            width = 0
        if width <= 0:
            width = 100
            if terminal:
                try:
                    width = os.get_terminal_size(stream.fileno()).columns or 80
                except (OSError, ValueError):
                    width = 80
        asked = False
    else:
        asked = True
    links = terminal and (
        env.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm", "vscode", "ghostty")
        or "WT_SESSION" in env
        or "KITTY_WINDOW_ID" in env
        or env.get("VTE_VERSION", "").isdigit()
        and int(env["VTE_VERSION"]) >= 5000
    )
    return Paper(
        width, on, unicode, links, encoding, wrap_tables=terminal or asked or "COLUMNS" in env
    )
