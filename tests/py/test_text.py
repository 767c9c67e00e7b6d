"""Units, rounding, widths: the figures of every report."""

import doctest
import io
import random

import pytest

from memsure import text
from memsure.text import NBSP, Paper


def plain(s):
    return s.replace(NBSP, " ")


def test_the_examples_in_the_docstrings():
    from memsure import run, source, verdict
    for module in (text, source, verdict, run):
        result = doctest.testmod(module, extraglobs={"text": text})
        assert result.failed == 0
    assert doctest.testmod(text).attempted >= 8


@pytest.mark.parametrize("n, shown", [
    (0, "0 B"), (1, "1 B"), (999, "999 B"), (1000, "0.98 KiB"), (1024, "1.00 KiB"), (10239, "10.0 KiB"), (1023 * 1024, "1.00 MiB"),
    (59 << 20, "59.0 MiB"), (168 << 20, "168 MiB"), (1331439862, "1.24 GiB"), (2**64 - 1, "16.0 EiB"),
])
def test_size(n, shown):
    assert plain(text.size(n)) == shown


def test_size_is_never_wider_than_eight_cells():
    for bits in range(64):
        for n in (2**bits - 1, 2**bits, 2**bits + 2**bits // 3, 999 << bits, 1023 << bits):
            assert len(text.size(n)) <= 8, n


def test_size_is_within_half_a_percent():
    rng = random.Random(11)
    for _ in range(2000):
        n = int(10 ** rng.uniform(0, 18))
        value, unit = text.size(n).split(NBSP)
        assert abs(float(value) * 1024 ** text.UNITS.index(unit) - n) <= 0.0052 * n + 0.5, n


def test_changes_have_a_sign_and_sizes_never():
    assert plain(text.change(5 << 20)) == "+5.00 MiB"
    assert plain(text.change(-(5 << 20))) == "−5.00 MiB"
    assert plain(text.with_error(-31.04 * 2**20, 2**20)) == "−31.0 ± 1.0 MiB"
    assert plain(text.with_error(31.04 * 2**20, 1)) == "+31.0 ± 0.1 MiB", "an error is never shown as nothing"
    assert plain(text.with_error(500, 3)) == "+500 ± 3 B"


@pytest.mark.parametrize("s, shown", [(0, "0 s"), (0.0004, "0.4 ms"), (0.04, "40 ms"), (0.9999, "1.00 s"), (9.8, "9.80 s"), (41.23, "41.2 s"),
                                      (119.99, "2 min"), (200, "3 min 20 s"), (3599.9, "1 h 00 min"), (7500, "2 h 05 min")])
def test_seconds(s, shown):
    assert plain(text.seconds(s)) == shown


@pytest.mark.parametrize("part, whole, shown", [(0, 5, "0 %"), (5, 5, "100 %"), (1, 100000, "<0.1 %"), (99999, 100000, "99.9 %"),
                                                (4, 1000, "0.4 %"), (994, 10000, "9.9 %"), (996, 10000, "10 %"), (37, 100, "37 %"), (1, 0, "- %")])
def test_percent(part, whole, shown):
    assert plain(text.percent(part, whole)) == shown


def test_shares_add_up_whatever_the_parts():
    rng = random.Random(5)
    for _ in range(3000):
        parts = [int(10 ** rng.uniform(0, 11)) * rng.randint(0, 1) for _ in range(rng.randint(1, 9))]
        unit, _, decimals = text.sum_unit(sum(parts))
        shown, total = text.shares(parts, unit, decimals)
        scale = 10 ** decimals
        assert sum(round(float(s) * scale) for s in shown) == round(float(total) * scale), parts
        for part, s in zip(parts, shown):
            assert abs(float(s) * unit - part) < unit / scale, "no row is off by a whole step"


def test_cells_count_what_a_terminal_shows():
    assert text.cells("abc") == 3
    assert text.cells("日本") == 4
    assert text.cells("e\u0301") == 1                       # e + combining acute
    assert text.cells("a\u200bb") == 2                      # zero width space
    paper = Paper(color=True, links=True)
    assert text.cells(paper.link(paper.paint("ab", "cyan"), "/x/ä b.py", 3)) == 2


def test_cut_keeps_to_the_width_and_to_whole_characters():
    paper = Paper()
    for s in ("abcdefgh", "日本語のファイル名", "aé日b́"):
        for width in range(1, 12):
            assert text.cells(paper.cut(s, width)) <= width
            assert text.cells(paper.cut_front(s, width)) <= width
    assert paper.cut("abcdefgh", 5) == "abcd…"
    assert paper.cut_front("shop/cache.py:20", 10) == "…che.py:20"
    assert Paper(unicode=False).cut("abcdefgh", 6) == "abc..."


def test_names_from_outside_cannot_drive_the_terminal():
    paper = Paper()
    assert paper.fix("a\x1b]0;title\x07b\nc\u202e") == "a\\x1b]0;title\\x07b\\x0ac\\u202e"
    assert paper.fix("\udcff") == "\\udcff"
    assert paper.fix("größe 日本") == "größe 日本"
    assert Paper(unicode=False).fix("größe → 日") == "gr\\xf6\\xdfe -> \\u65e5"


def test_wrap_keeps_to_the_width_and_loses_no_word():
    rng = random.Random(3)
    for _ in range(300):
        words = ["x" * rng.randint(1, 30) for _ in range(rng.randint(1, 30))]
        width = rng.randint(40, 120)
        lines = Paper(width).wrap(" ".join(words), first="= evidence  ")
        assert all(text.cells(line) <= width for line in lines)
        assert "".join(lines).replace("= evidence", "").replace(" ", "") == "".join(words)


def test_a_figure_and_its_unit_stay_on_one_line():
    for width in range(30, 60):
        for line in Paper(width).wrap(f"the peak is {text.size(5 << 20)} and then {text.size(7 << 20)} more", first="    "):
            assert not line.rstrip().endswith(("5.00", "7.00"))


def test_bars_start_at_zero_and_keep_the_peak():
    assert text.bars([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert text.bars([7, 7, 7], 10) == "███"
    assert "█" in text.bars([1] * 500 + [100] + [1] * 500, 40)
    assert text.bars([], 10) == "" and text.bars([0, 0], 5) == "▁▁"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def __init__(self, tty=True, encoding="utf-8"):
        super().__init__()
        self.tty = tty
        Terminal.encoding = encoding

    def isatty(self):
        return self.tty


@pytest.mark.parametrize("tty, color, env, on", [
    (True, "auto", {}, True), (False, "auto", {}, False), (True, "auto", {"NO_COLOR": "1"}, False), (True, "auto", {"TERM": "dumb"}, False),
    (False, "auto", {"FORCE_COLOR": "1"}, True), (False, "always", {}, True), (True, "never", {"FORCE_COLOR": "1"}, False),
    (True, "auto", {"NO_COLOR": ""}, True), (False, "always", {"NO_COLOR": "1"}, True)])
def test_when_there_is_colour(tty, color, env, on):
    assert text.paper_for(Terminal(tty), color, env=env).color is on


def test_widths():
    assert text.paper_for(Terminal(False), env={}).width == 100
    assert text.paper_for(Terminal(False), env={"COLUMNS": "70"}).width == 70
    assert text.paper_for(Terminal(False), env={"COLUMNS": "900"}).width == 120
    assert text.paper_for(Terminal(False), width=60, env={"COLUMNS": "70"}).width == 60
    assert text.paper_for(Terminal(False), width=1, env={}).width == text.NARROWEST


def test_unicode_only_where_it_can_be_shown():
    assert text.paper_for(Terminal(True), env={}).unicode
    assert not text.paper_for(Terminal(True), env={"TERM": "linux"}).unicode
    assert not text.paper_for(Terminal(True, "latin-1"), env={}).unicode
    Terminal.encoding = "utf-8"
