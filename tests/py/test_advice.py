"""The code that the rules show: what `memsure explain` calls wrong does what the rule says, and what it calls right does not.

Each case gives the names that the rule's code needs, runs the text of the rule itself, and asks what is left of it. Where a rule's code is
words, another program, or a library's, it is only compiled."""

import array
import ast
import asyncio
import collections
import contextlib
import functools
import gc
import inspect
import io
import itertools
import queue
import sys
import textwrap
import traceback
import types
import weakref

import pytest

from memsure import rules

# Rules whose code is not Python: C, a shell's line, a notebook's magic, words.
WORDS = {("L6", "wrong"), ("L6", "right"), ("L7", "right"), ("L9", "right"), ("Y3", "right"), ("O1", "right"), ("O2", "right"), ("O6", "right"),
         ("G1", "right"), ("G3", "right"), ("R2", "right"), ("R6", "right")}


class Thing:
    """Something that can be watched; with a body for what the rule's code says of `self`."""


def compiled(code):
    """The code as a module: an opening line alone gets a body; one that begins with `except` its try."""
    code = textwrap.dedent(code)
    if code.startswith("except"):
        code = "try:\n    pass\n" + code
    lines = code.split("\n")
    if lines[-1].split("      #")[0].rstrip().endswith(":"):
        code += "\n    pass"
    return ast.parse(code)


@pytest.mark.parametrize("rule", [r for r in rules.RULES.values() if not r.declined], ids=lambda r: r.id)
def test_the_code_of_a_rule_is_code(rule):
    for side, code in (("wrong", rule.wrong), ("right", rule.right)):
        if code and (rule.id, side) not in WORDS:
            assert compiled(code).body, (rule.id, side)


def code(id, side):
    return getattr(rules.RULES[id], side)


def ran(id, side, **names):
    """The names after the code of a rule has run."""
    exec(compile(compiled(code(id, side)), f"<{id} {side}>", "exec"), names)
    return names


def in_class(id, side, before="", **names):
    """A class whose constructor has the rule's statement on self; what is indented under a decorator becomes a method."""
    body, _, method = code(id, side).partition("@property")
    text = "class Made:\n    def __init__(self, parent=None):\n        self.payload = bytes(1000)\n"
    text += textwrap.indent(before, " " * 8) + textwrap.indent(body, " " * 8) + ("\n" + textwrap.indent("@property" + method, "    ") if method else "")
    text += "\n    def finish(self):\n        return 7\n"
    exec(text, names)
    return names["Made"]


def dies(make):
    """Whether what a call gives goes without a collection when nobody keeps it."""
    gc.disable()
    try:
        watch = weakref.ref(make())
        return watch() is None
    finally:
        gc.enable()
        gc.collect()


def c1(side):
    text = "class Job:\n    def run(self):\n        try:\n            raise ValueError\n        " + code("C1", side).replace("\n", "\n        ")
    names = {}
    exec(text, names)

    def make():
        job = names["Job"]()
        job.run()
        return job
    return dies(make)


def c2(side):
    Made = in_class("C2", side, "if parent is not None:\n    parent.child = self\n", weakref=weakref)

    def make():
        root = Made()
        assert root.parent is None and Made(root).parent is root
        return root
    return dies(make)


def c3(side):
    Made = in_class("C3", side, weakref=weakref)
    assert Made().on_done() == 7
    return dies(Made)


def c4(side):
    names = dict(inspect=inspect, log=lambda n: None, weakref=weakref, Thing=Thing)
    exec("def f():\n    thing = Thing()\n    watch.append(weakref.ref(thing))\n" + textwrap.indent(code("C4", side), "    "), names)
    names["watch"] = []
    gc.disable()
    try:
        names["f"]()
        return names["watch"][0]() is None
    finally:
        gc.enable()
        gc.collect()


def c6(side):
    names = ran("C6", side, namedtuple=collections.namedtuple, functools=functools)
    made = names["rows" if side == "wrong" else "row_type"]
    gc.disable()  # a dead class is there until a collection
    try:
        before = len(tuple.__subclasses__())
        for _ in range(50):
            made(("a", "b"))
        return len(tuple.__subclasses__()) - before <= 1
    finally:
        gc.enable()
        gc.collect()


def c7(side):
    node = Thing()
    names = ran("C7", side, WeakKeyDictionary=weakref.WeakKeyDictionary, node=node, Layout=lambda node: [node])
    watch = weakref.ref(node)
    del names["node"], node
    gc.collect()
    return watch() is None


def c8(side):
    def make():
        parent = Thing()
        parent.child = Thing()
        ran("C8", side, node=parent.child, parent=parent, weakref=weakref)
        return parent
    return dies(make)


def r1(side):
    keeper = Thing()

    def work():
        big = Thing()
        keeper.watch = weakref.ref(big)
        raise ValueError("of little use")
    try:
        work()
    except ValueError as e:
        ran("R1", side, self=keeper, e=e, traceback=traceback)
        assert isinstance(keeper.last_error, ValueError)
    return keeper.watch() is None


def r3(side):
    jobs = [Thing()]
    watch, waited = weakref.ref(jobs[0]), []

    class Queue:
        def get(self):
            if jobs:
                return jobs.pop()
            waited.append(watch() is None)
            raise SystemExit
    with pytest.raises(SystemExit):
        ran("R3", side, queue=Queue(), work=lambda job: None)
    return waited[0]


def r4(side):
    raw = [Thing()]
    watch, gone = weakref.ref(raw[0]), []
    ran("R4", side, load=raw.pop, parse=lambda raw: None, report=lambda table: gone.append(watch() is None))
    return gone[0]


def r8(side):
    closed = []

    def read(path):
        try:
            yield 1
            yield 2
        finally:
            closed.append(path)
    names = ran("R8", side, read=read, path="x", contextlib=contextlib)
    assert names["first"] == 1
    return bool(closed)


def r9(side):
    async def work():
        shutdown = asyncio.get_running_loop().create_future()
        for _ in range(9):
            task = asyncio.ensure_future(asyncio.sleep(0))
            names = dict(shutdown=shutdown, task=task)
            exec("async def f():\n" + textwrap.indent(code("R9", side), "    "), names)
            await names["f"]()
        return not shutdown._callbacks
    return asyncio.run(work())


def r11(side):
    class Bytes(bytearray):
        pass
    data = memoryview(Bytes(1000))
    watch = weakref.ref(data.obj)
    names = ran("R11", side, data=View(data))
    assert names["head"] is not None
    names.pop("data")
    del data
    return watch() is None


class View:
    """What a slice of an array is: it holds all; its copy() does not."""

    def __init__(self, data):
        self.data = data

    def __getitem__(self, part):
        return View(self.data[part])

    def copy(self):
        return bytes(self.data)


def r13(side):
    class Bus(list):
        subscribe, unsubscribe = list.append, list.remove
    bus = Bus()

    class Listener:
        def __init__(self):
            bus.subscribe(self.changed)

        def changed(self):
            pass
    if side == "right":
        exec(textwrap.dedent(rules.RULES["R13"].right), names := dict(bus=bus))
        Listener.close = names["close"]

    def make():
        listener = Listener()
        if side == "right":
            listener.close()
        return listener
    return dies(make)


def l2(side):
    names = dict(lru_cache=functools.lru_cache, cached_property=functools.cached_property)
    exec("class Item:\n" + textwrap.indent(code("L2", side).replace(" ...", " return 5"), "    "), names)

    def make():
        item = names["Item"]()
        assert (item.price if side == "right" else item.price()) == 5
        return item
    return dies(make)


def l4(side):
    texts = {}

    def job():
        names = dict(TEXTS=texts, text="".join(["a", "b"]))
        exec(code("L4", side), names)
    job()
    return not texts


def l5(side):
    q = ran("L5", side, queue=queue)  # an expression
    made = eval(code("L5", side), dict(q, queue=queue))
    for i in range(100):
        made.put_nowait(i)
    try:
        made.put_nowait(0)
    except queue.Full:
        return True
    return False


def l8(side):
    samples = collections.deque()
    names = dict(samples=samples, deque=collections.deque, read=lambda: 1)
    exec(code("L8", side), names)
    for i in range(4000):
        names["samples"].append(i)
    return len(names["samples"]) <= 3600


def n1(side):
    class File(io.StringIO):
        def readlines(self):
            self.whole = True
            return super().readlines()
    f = File("a\nb\n")
    ran("N1", side, f=f)
    return not hasattr(f, "whole")


def n2(side):
    alive, most = weakref.WeakSet(), []

    class Cost(float):
        __hash__ = object.__hash__

    def cost(x):
        made = Cost(x)
        alive.add(made)
        most.append(len(alive))
        return made
    assert ran("N2", side, cost=cost, xs=range(50))["total"] == sum(range(50))
    return max(most) <= 3


def n3(side):
    assert ran("N3", side, keys="abc", render=str.upper)["out"] == "ABC"
    class Text(str):
        def __add__(self, other):
            copied.append(len(self))
            return Text(str.__add__(self, other))
    copied = []
    exec(code("N3", side).replace('out = ""', "out = Text()"), dict(keys=["x"] * 50, render=str, Text=Text))
    return sum(copied) < 100


def n6(side):
    rows = iter([Thing() for _ in range(3)])
    names = ran("N6", side, rows=rows, tee=itertools.tee)
    return isinstance(names["rows"], list)


def n8(side):
    parts, tables = [1, 2, 3], []
    ran("N8", side, parts=parts, count=lambda part, table: tables.append(table))
    return len({id(table) for table in tables}) == 1


def p2(side):
    made = []

    class Bytes(bytearray):
        def __init__(self, n):
            made.append(n)
            super().__init__(n)
    ran("P2", side, parts=[1, 2, 3], f=io.BytesIO(b"x" * 100), bytearray=Bytes)
    return len(made) == 1


def s1(side):
    from dataclasses import dataclass
    names = {"dataclass": dataclass}
    exec(code("S1", side).replace(" ...", "\n    x: int"), names)
    return not hasattr(names["Point"](1), "__dict__")


def s2(side):
    d = dict.fromkeys(range(10_000))
    for k in list(d)[1:]:
        d.pop(k)
    full = sys.getsizeof(d)
    names = dict(d=d)
    exec(code("S2", side), names)
    return sys.getsizeof(names["d"]) < full / 100


def s3(side):
    rows = [{"country": "".join(["Ger", "many"])} for _ in range(9)]
    kept = [eval(code("S3", side), dict(row=row, sys=sys)) for row in rows]
    return len({id(text) for text in kept}) == 1


def s5(side):
    names = ran("S5", side, text="1 2 3 " * 1000, array=array.array)
    assert list(names["xs"][:3]) == [1.0, 2.0, 3.0]
    return isinstance(names["xs"], array.array)


def s6(side):
    out = []
    for x in range(1001):
        out.append(x)
    spare = sys.getsizeof(out)
    return sys.getsizeof(ran("S6", side, out=out, x=1)["out"]) < spare


def s7(side):
    defaults = dict.fromkeys(range(100), 0)
    made = eval(code("S7", side), dict(DEFAULTS=defaults, given={1: 2}, ChainMap=collections.ChainMap))
    assert (made[1], made[2]) == (2, 0)
    return not isinstance(made, dict)


CASES = {name.upper(): case for name, case in list(globals().items()) if isinstance(case, types.FunctionType) and name.upper() in rules.RULES}


@pytest.mark.parametrize("id", sorted(CASES))
def test_what_is_called_right_is_right_and_what_is_called_wrong_is_not(id):
    assert not CASES[id]("wrong"), f"{id}: the code that is called wrong does no harm"
    assert CASES[id]("right"), f"{id}: the code that is called right does not help"


def test_most_rules_with_code_are_run():
    assert len(CASES) >= 30
