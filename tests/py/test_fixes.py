"""What the source of a line shows (python/memsure/fixes.py), on texts: a pattern, or none."""

import pytest

from conftest import dedent
from memsure import fixes
from memsure.source import Sources


@pytest.fixture
def shown(tmp_path):
    """The pattern of a rule at the line that is marked with #@, or None."""

    def look(rule, text, **facts):
        text = dedent(text)
        line = next(n for n, one in enumerate(text.splitlines(), 1) if "#@" in one)
        (tmp_path / "app.py").write_text(text)
        return fixes.Reader(Sources(str(tmp_path))).confirm(rule, str(tmp_path / "app.py"), line, facts)

    return look


REPORT = """
    class Report:
        def __init__(self):
            self.text = {first}
        def line(self, cells):
            self.text += {added}                        #@
"""


@pytest.mark.parametrize("first, added, title", [
    ('""', '" ".join(cells) + "\\\\n"', "a string built piece by piece"),
    ('b""', "cells.encode()", "a bytes built piece by piece"),
    ("()", "(cells,)", "a tuple built piece by piece"),
])
def test_a_text_in_an_attribute_grows_from_call_to_call(shown, first, added, title):
    assert shown("N3", REPORT.format(first=first, added=added)).title == title


@pytest.mark.parametrize("first, added", [("0", "len(cells)"), ("[]", "[cells]")])
def test_a_number_or_a_list_in_an_attribute_does_not(shown, first, added):
    assert shown("N3", REPORT.format(first=first, added=added)) is None


def test_a_global_text_grows_from_call_to_call_and_a_local_one_does_not(shown):
    text = """
        text = ""
        def line(cell):
            {}text = ""
            text += cell + "."                          #@
    """
    assert shown("N3", text.format("global text; ")).title == "a string built piece by piece"
    assert shown("N3", text.format("")) is None


def test_the_same_deep_copy_each_time(shown):
    text = """
        import copy
        DEFAULTS = {{"a": [1]}}
        def handle(request):
            return_value = copy.deepcopy({})            #@
            return_value["b"] = request
            return return_value
    """
    assert shown("P4", text.format("DEFAULTS")).title == "the same deep copy made anew each time"
    assert shown("P4", text.format("request")) is None


BUILDS = """
    import argparse, functools
    {decorated}
    def parser():
        commands = argparse.ArgumentParser("bot")
        commands.add_argument("words")
        return {returned}
    def answer(line):
        return parser().parse_args([line]).words        #@
"""


def test_a_function_that_builds_the_same_thing_each_time(shown):
    pattern = shown("P4", BUILDS.format(decorated="", returned="commands"))
    assert pattern.title == "an ArgumentParser made anew each time"
    assert [words for _, _, words in pattern.patch] == ["@functools.cache"]


def test_a_line_that_builds_a_part_of_it(shown):
    inside = BUILDS.format(decorated="", returned="commands").replace("#@", "").replace('add_argument("words")', 'add_argument("words")   #@')
    pattern = shown("P4", inside)
    assert pattern.title == "an ArgumentParser made anew each time"
    assert shown("P4", inside.replace("def parser():", "def parser(name):")) is None
    assert shown("P4", inside.replace("    def parser", "    @functools.cache\n    def parser")) is None


@pytest.mark.parametrize("more", [{"decorated": "@functools.cache", "returned": "commands"}, {"decorated": "", "returned": "len(str(commands))"}])
def test_a_function_that_remembers_or_returns_something_else(shown, more):
    assert shown("P4", BUILDS.format(**more)) is None


ARRAYS = """
    def step(heat, flow, out, n):
        return {}               #@
"""


@pytest.mark.parametrize("expression", ["heat * 0.98 + flow * 0.01", "2 * heat - (flow - 1) * n", "-(heat + flow) * n", "sin(heat * n) * flow + out"])
def test_operations_that_follow_each_other_make_temporaries(shown, expression):
    assert shown("N4", ARRAYS.format(expression)).title == "temporaries of an array expression"


@pytest.mark.parametrize("expression", [
    "heat * flow", "bytes([n % 251]) * (1 << 18) * n", '"\\n".join(f"{n * 37 % 91}" for _ in heat)', "[0] * n + [1] * n", 'f"{n}" * n + f"{heat}"',
    "heat * (4 * 1024 + 1)", "(heat % n, flow)",
])
def test_texts_lists_and_constants_are_no_arrays(shown, expression):
    assert shown("N4", ARRAYS.format(expression)) is None


MADE_FOR = """
    import jinja2
    TEXT = "Dear {{{{ name }}}}"
    class Mailer:
        def render(self, name, {argument}):
            environment = jinja2.Environment({with_})
            {then}
            return environment.from_string(TEXT).render(name=name)     #@
"""


def test_what_a_line_calls_was_made_for_this_call_only(shown):
    pattern = shown("P4", MADE_FOR.format(argument="_", with_="trim_blocks=True", then="pass"))
    assert pattern.title == "an Environment made anew each time"
    assert shown("P4", MADE_FOR.format(argument="globals", with_="globals=globals", then="pass")) is None            # another one for each call
    assert shown("P4", MADE_FOR.format(argument="_", with_="", then="self.environment = environment")) is None      # it is kept
    assert shown("P4", MADE_FOR.format(argument="environment", with_="", then="pass")) is None                      # the caller's, now and then
    assert shown("P4", MADE_FOR.format(argument="_", with_="", then="environment[name]")).made
    work = """
        import jinja2
        def main():
            environment = jinja2.Environment()
            for n in range(40_000):
                print(environment.from_string(f"{n}"))      #@
    """
    assert shown("P4", work) is None                                                                                # made once, before the loop


WORKER = """
    def work(jobs):
        while True:
            job = jobs.get()
            page = render(job)
            jobs.task_done()                            #@
            {then}
"""


@pytest.mark.parametrize("then, told", [("print(job)", True), ("del page", False)])
def test_a_worker_that_lets_go_of_its_job_was_seen_at_work(shown, then, told):
    assert (shown("R3", WORKER.format(then=then), local="page", inner=1) is not None) == told


TEE = """
    import itertools
    def normalised(values):
        first, second = itertools.tee(values)
        highest = max({read})                                          #@
        return [value / highest for value in second]
"""


def test_a_line_that_reads_what_tee_gave_out(shown):
    assert shown("N6", TEE.format(read="first")).title.startswith("tee() keeps all")
    assert shown("N6", TEE.format(read="first").replace("     #@", "").replace("tee(values)", "tee(values)   #@"))
    assert shown("N6", TEE.format(read="[1, 2]")) is None


def test_a_part_of_what_is_read_whole(shown):
    text = """
        def tail(f, count):
            return f.readlines(){part}                                 #@
    """
    assert "deque(f, maxlen=n)" in shown("N1", text.format(part="[-count:]")).fix
    assert shown("N1", text.format(part="")) is None


def test_numbers_boxed_and_groups_asked(shown):
    text = "def total(table):\n    return {}     #@\n"
    assert shown("N5", text.format("sum(table.tolist())"), each=32)
    assert shown("N5", text.format("sum(table.tolist())"), each=100) is None                        # texts
    assert shown("N5", text.format("table.apply(gross, axis=1)"), each=100)
    assert shown("N5", text.format('table.groupby("shop").apply(gross)'), each=60) is None         # a call for each group
