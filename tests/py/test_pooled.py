"""@memsure.pooled: a pooled class means what the class means without it.

Every test that takes `make` runs twice, with `make` being the identity and memsure.pooled: what is asserted is what
CPython does, and what a pool must do. After each test the pools' own rules are checked (_pool.check).
"""

import abc
import copy
import dataclasses
import gc
import importlib.util
import inspect
import json
import os
import pickle
import re
import random
import subprocess
import sys
import sysconfig
import textwrap
import threading
import typing
import weakref
from dataclasses import KW_ONLY, InitVar, dataclass, field
from pathlib import Path

import pytest

import memsure
from memsure import _pool, pools

pytestmark = pytest.mark.skipif(bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="pools rely on the GIL")


@pytest.fixture(params=["plain", "pooled"])
def make(request):
    yield memsure.pooled if request.param == "pooled" else lambda cls: cls
    gc.collect()
    assert _pool.check() is None


@pytest.fixture(autouse=True, scope="module")
def quick_collections():
    """What the test runner holds is not looked at by each gc.collect()."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def sound():
    yield
    assert _pool.check() is None


def constructor(cls):
    return _pool.info(cls)["constructor"]


def point(make, **options):
    @make
    @dataclass(slots=True, **options)
    class Point:
        x: int
        y: int = 7
    return Point


def churn(cls, *args, n=50):
    """Make and drop some, so that what is asked next comes from the free list."""
    for _ in range(3):
        [cls(*args) for _ in range(n)]


# ---- constructors ----

def test_positional_keyword_default(make):
    P = point(make)
    churn(P, 1)
    for p, x, y in [(P(1), 1, 7), (P(1, 2), 1, 2), (P(y=3, x=4), 4, 3), (P(5, y=6), 5, 6), (P(*[8], **{"y": 9}), 8, 9)]:
        assert (p.x, p.y) == (x, y) and type(p) is P


@pytest.mark.parametrize("args, kwargs", [
    ((), {}), ((1, 2, 3), {}), ((1,), {"x": 2}), ((), {"y": 2}), ((1,), {"z": 2}), ((1, 2), {"y": 3}), ((), {"x": 1, "q": 2}),
])
def test_wrong_calls_raise_what_the_constructor_raises(args, kwargs):
    messages = []
    for make in (lambda cls: cls, memsure.pooled):
        P = point(make)
        churn(P, 1)
        with pytest.raises(TypeError) as caught:
            P(*args, **kwargs)
        messages.append(str(caught.value))
        assert P(1).y == 7
    assert messages[0] == messages[1]


def test_factories_in_order_and_their_exceptions(make):
    log = []

    def factory(name):
        def made():
            log.append(name)
            if name in fails:
                raise KeyError(name)
            return [name]
        return made

    fails = set()

    @make
    @dataclass(slots=True)
    class C:
        a: int
        b: list = field(default_factory=factory("b"))
        c: list = field(default_factory=factory("c"))
        d: list = field(default_factory=factory("d"), init=False)
        e: int = field(default=5, init=False)

    first = C(1)
    assert log == ["b", "c", "d"] and first == C(1) and C(1).b is not C(1).b and first.e == 5
    del log[:]
    fails.add("c")
    with pytest.raises(KeyError):
        C(1)
    assert log == ["b", "c"]
    fails.clear()
    del log[:]
    given = [0]
    assert C(1, given, given).b is given and log == ["d"]
    assert C(1, c=given).c is given


def test_factory_may_do_anything(make):
    """It may make instances of the class, collect, and change the defaults of the constructor that called it."""
    depth = []

    def factory():
        gc.collect()
        if len(depth) < 3:
            depth.append(1)
            C.__init__.__defaults__ = (object(), C.__init__.__defaults__[1])
            return C(len(depth))
        return None

    @make
    @dataclass(slots=True)
    class C:
        a: int
        b: object = 17
        c: object = field(default_factory=factory)

    c = C(0)
    chain = []
    while c:
        chain.append(c.a)
        c = c.c
    assert chain == [0, 1, 2, 3]


def test_post_init_and_initvar(make):
    @make
    @dataclass(slots=True)
    class C:
        a: int
        scale: InitVar[int] = 3
        b: int = field(init=False, default=0)
        c: list = field(default_factory=list)

        def __post_init__(self, scale):
            if self.a < 0:
                raise ValueError("negative")
            self.b = self.a * scale
            self.c.append(self)

    churn(C, 1)
    c = C(2)
    assert c.b == 6 and c.c == [c] and C(2, scale=5).b == 10 and C(2, 5).b == 10
    with pytest.raises(ValueError, match="negative"):
        C(-1)
    ref = []
    c.c.append(type("W", (), {"__del__": lambda self: ref.append(1)})())
    del c
    gc.collect()
    assert ref == [1]


def test_keyword_only_and_positional_only(make):
    @make
    @dataclass(slots=True, kw_only=True)
    class K:
        a: int
        b: int = 2

    @make
    @dataclass(slots=True)
    class M:
        a: int
        _: KW_ONLY
        b: int
        c: int = 3

    @make
    class P:
        __slots__ = ("a", "b", "c")

        def __init__(self, a, /, b=1, *, c):
            self.a = a
            self.b = b
            self.c = c

    assert K(a=1) == K(b=2, a=1) and M(1, b=2) == M(1, b=2, c=3) and (P(1, c=2).b, P(1, 5, c=2).c) == (1, 2)
    P.__init__.__kwdefaults__ = {"c": 11}
    assert P(1).c == 11
    P.__init__.__kwdefaults__["c"] = 12
    assert P(1).c == 12
    for bad in (lambda: K(1), lambda: M(1), lambda: M(1, 2), lambda: P(a=1, c=2), lambda: P(1, 2, 3)):
        with pytest.raises(TypeError):
            bad()


def test_frozen(make):
    P = point(make, frozen=True)
    churn(P, 1)
    p = P(1, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        p.x = 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        del p.x
    assert hash(p) == hash(P(1, 2)) and {p: 1}[P(1, 2)] == 1
    object.__setattr__(p, "x", 9)
    assert p.x == 9 and dataclasses.replace(p, y=1) == P(9, 1)


def test_hand_written(make):
    @make
    class C:
        """With a docstring."""
        __slots__ = ("a", "b", "c", "d", "e", "f")
        kind = "class attribute"

        def __init__(self, a, b=2, c=None):
            """Also with one."""
            self.a = a
            self.b = b
            self.c = c
            self.d = []
            self.e = {}
            self.f = (1, "two")

    churn(C, 1)
    x, y = C(1), C(1)
    assert (x.a, x.b, x.c, x.d, x.e, x.f) == (1, 2, None, [], {}, (1, "two")) and x.d is not y.d and x.e is not y.e
    assert C.__init__.__doc__ == "Also with one." and C.__doc__ == "With a docstring." and x.kind == "class attribute"


def test_constructors_that_compute_are_called(make):
    @make
    class C:
        __slots__ = ("a", "b", "log")
        made = 0

        def __init__(self, *args, **kwargs):
            C.made += 1
            self.a = args
            self.b = kwargs
            if args == (0,):
                raise ZeroDivisionError
            if args == (9,):
                return 9

    churn(C, 1, n=5)
    assert C.made == 15 and C(1, 2, z=3).b == {"z": 3} and C().a == () and not hasattr(C(), "log")
    assert C(*range(20), **{f"k{i}": i for i in range(20)}).a == tuple(range(20))
    with pytest.raises(ZeroDivisionError):
        C(0)
    with pytest.raises(TypeError, match=r"__init__\(\) should return None, not 'int'"):
        C(9)


def test_no_constructor_and_unset_fields(make):
    @make
    class C:
        __slots__ = ("a", "b")

    c = C()
    assert not hasattr(c, "a")
    c.a = 5
    del c
    assert not hasattr(C(), "a")
    for args, kwargs in [((1,), {}), ((), {"a": 1})]:
        with pytest.raises(TypeError):
            C(*args, **kwargs)
    c = C()
    with pytest.raises(AttributeError):
        c.b
    with pytest.raises(AttributeError):
        del c.b
    with pytest.raises(AttributeError):
        c.other = 1


def test_init_is_reassigned(make):
    P = point(make)
    churn(P, 1)
    old = P.__init__

    def init(self, *args):
        self.x, self.y = args, "new"

    P.__init__ = init
    assert (P(1, 2, 3).x, P().y) == ((1, 2, 3), "new")
    P.__init__ = lambda self: None
    assert not hasattr(P(), "x")
    P.__init__ = old
    assert P(1).y == 7
    P.__init__.__defaults__ = (8,)
    assert P(1).y == 8
    P.__init__.__code__ = (lambda self, x, y: setattr(self, "x", -x)).__code__
    p = P(1)
    assert p.x == -1 and not hasattr(p, "y")
    del P.__init__
    with pytest.raises(TypeError):
        P(1)
    assert type(P()) is P


def test_class_is_changed_in_other_ways(make):
    P = point(make)
    churn(P, 1)
    seen = []
    P.__setattr__ = lambda self, name, value: (seen.append(name), object.__setattr__(self, name, value))[1]
    P(1)
    assert seen == ["x", "y"]
    del P.__setattr__
    P.__new__ = lambda cls, *args, **kwargs: (seen.append("new"), object.__new__(cls))[1]
    assert P(2).x == 2 and seen[-1] == "new"
    P = point(make)
    slot = P.x
    P.x = property(lambda self: "property", lambda self, value: seen.append(value))
    assert P(3).x == "property" and seen[-1] == 3
    P.x = slot
    assert P(4).x == 4
    P.extra = 5
    assert P(1).extra == 5
    P.__post_init__ = lambda self: seen.append("post")     # not there at decoration: dataclass does not call it
    P(1)
    assert seen[-1] == 3
    for i in range(1500):           # more versions than a type can have
        P.extra = i
        assert P(i).x == i


def test_init_of_new_class_called_again(make):
    P = point(make)
    p = P(1)
    p.__init__(2, 3)
    assert p == P(2, 3)
    q = P.__new__(P)
    assert not hasattr(q, "x")
    q.__init__(4)
    assert q == P(4)
    assert type.__call__(P, 1) == P(1) and object.__new__(P).__class__ is P


# ---- inheritance ----

def test_subclasses(make):
    P = point(make)

    class Slots(P):
        __slots__ = ("z",)

        def __init__(self, x, z):
            super().__init__(x)
            self.z = z

    class Dict(P):
        pass

    @make
    @dataclass(slots=True)
    class Data(P):
        z: list = field(default_factory=list)

    class Weak(P):
        __slots__ = ("__weakref__",)

    churn(P, 1)
    for cls, args in [(Slots, (1, 2)), (Dict, (1,)), (Data, (1,)), (Weak, (1,))]:
        churn(cls, *args)
        some = [cls(*args) for _ in range(100)]
        assert all(s.x == 1 and s.y == 7 and type(s) is cls and isinstance(s, P) for s in some)
    d = Dict(1)
    d.extra = d
    ref = weakref.ref(d)
    del d
    gc.collect()
    assert ref() is None
    assert Data(1).z == [] and Data(1, 2, 3).z == 3 and Slots(1, 2).z == 2
    w = Weak(1)
    ref = weakref.ref(w)
    del w
    assert ref() is None

    class Late(Slots):
        __slots__ = ()
    churn(Late, 1, 2)
    assert Late(1, 2).z == 2


def test_base_without_pool_and_mixins(make):
    class Base:
        __slots__ = ("a",)

        def __init__(self, a):
            self.a = a

        @classmethod
        def of(cls, a):
            return cls(a)

        @staticmethod
        def twice(a):
            return 2 * a

        @property
        def half(self):
            return self.a / 2

    class Mixin:
        __slots__ = ()

        def name(self):
            return type(self).__name__

    @make
    class C(Mixin, Base):
        __slots__ = ("b",)

    churn(C, 4)
    c = C.of(4)
    assert (c.a, c.half, c.name(), C.twice(2)) == (4, 2, "C", 4) and not hasattr(c, "b")
    with pytest.raises(AttributeError):
        c.half = 3
    assert C.__mro__ == (C, Mixin, Base, object)


def test_multiple_pooled_bases(make):
    A = point(make)

    @make
    class Empty(abc.ABC):
        __slots__ = ("only",)

    class Both(A):
        __slots__ = ("__dict__", "__weakref__")

    b = Both(1)
    b.me = b
    ref = weakref.ref(b)
    del b
    gc.collect()
    assert ref() is None and Empty.__subclasses__() == []


def test_abstract(make):
    @make
    class A(abc.ABC):
        __slots__ = ("a",)

        def __init__(self, a):
            self.a = a

        @abc.abstractmethod
        def f(self): ...

    with pytest.raises(TypeError, match="abstract"):
        A(1)

    @make
    class B(A):
        __slots__ = ()

        def f(self):
            return self.a
    churn(B, 3)
    assert B(3).f() == 3


def test_generic_and_protocol(make):
    T = typing.TypeVar("T")

    @make
    @dataclass(slots=True)
    class Box(typing.Generic[T]):
        value: T

    churn(Box, 3)
    assert Box[int](3) == Box(3) and Box[int].__origin__ is Box


def test_metaclass(make):
    class Meta(type):
        calls = 0

        def __call__(cls, *args):
            Meta.calls += 1
            return super().__call__(*args)

        @property
        def word(cls):
            return "word"

    @make
    class C(metaclass=Meta):
        __slots__ = ("a",)

        def __init__(self, a):
            self.a = a

    churn(C, 1)
    assert C(1).a == 1 and Meta.calls == 151 and C.word == "word"


def test_own_new(make):
    @make
    class C:
        __slots__ = ("a",)
        kept = {}

        def __new__(cls, a):
            return cls.kept.setdefault(a, None) or super().__new__(cls)

        def __init__(self, a):
            self.a = a
            self.kept[a] = self

    assert C(1) is C(1) and C(1) is not C(2)
    C.kept.clear()
    churn(C, 5)


def test_class_of_instance_is_assigned(make):
    P = point(make)

    class Sub(P):
        __slots__ = ()

    class Same:
        __slots__ = ("x", "y")

    class Other:
        __slots__ = ("x", "y", "z")

    for _ in range(20):
        many = [P(i) for i in range(30)]
        for i, p in enumerate(many):
            if i % 3:
                p.__class__ = Sub if i % 3 == 1 else Same
                assert type(p) is not P and p.x == i
        random.shuffle(many)
        del many[::2]
        back = [s for s in many if type(s) is not P]
        for s in back:
            s.__class__ = P
        with pytest.raises(TypeError):
            many[0].__class__ = Other
        assert many[0].y == 7
        del many, back, p, s
    s = Same()
    s.x, s.__class__ = 4, P
    assert type(s) is P and s.x == 4


# ---- operations of the class ----

def test_eq_repr_order_match_asdict(make):
    P = point(make, order=True)
    p = P(1, 2)
    assert repr(p).endswith("Point(x=1, y=2)") and p == P(1, 2) != P(1, 3) and P(1) < P(2) and p != (1, 2)
    assert dataclasses.asdict(p) == {"x": 1, "y": 2} and dataclasses.astuple(p) == (1, 2)
    match p:
        case P(1, y):
            assert y == 2
    assert str(inspect.signature(P)) == "(x: int, y: int = 7) -> None"
    assert [f.name for f in dataclasses.fields(P)] == ["x", "y"] and P.__slots__ == ("x", "y")
    assert type(P.x).__name__ == "member_descriptor" and sys.getsizeof(p) == 16 + 16 + 16




@dataclass(slots=True)
class PlainGlobal:
    x: int
    y: object = None


@memsure.pooled
@dataclass(slots=True)
class PooledGlobal:
    x: int
    y: object = None


@memsure.pooled
@dataclass(slots=True, frozen=True, weakref_slot=True)
class FrozenGlobal:
    x: int
    y: object = None


@pytest.mark.parametrize("cls", [PlainGlobal, PooledGlobal, FrozenGlobal])
def test_copy_and_pickle(cls):
    churn(cls, 1)
    for value in (2, [3], (4,), None):
        p = cls(1, value)
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(p, protocol)) == p
        assert copy.copy(p) == p and copy.copy(p).y is p.y and copy.deepcopy(p) == p
    p = cls(1, [])
    p.y.append(p)
    q = copy.deepcopy(p)
    assert q.y[0] is q and q is not p
    r = pickle.loads(pickle.dumps(p))
    assert r.y[0] is r
    refs = [weakref.ref(x) for x in (p, q, r)] if hasattr(cls, "__weakref__") else []
    del p, q, r
    gc.collect()
    assert all(ref() is None for ref in refs)


def test_weak_references(make):
    W = point(make, weakref_slot=True)
    churn(W, 1)
    gone = []
    p = W(1)
    ref = weakref.ref(p, lambda r: gone.append(r))
    proxy = weakref.proxy(p)
    assert ref() is p and proxy.x == 1 and weakref.getweakrefcount(p) == 2
    del p
    assert gone == [ref] and ref() is None
    again = W(2)
    assert ref() is None and weakref.getweakrefcount(again) == 0
    values = weakref.WeakValueDictionary()
    keep = [W(i) for i in range(50)]
    for k in keep:
        values[k.x] = k
    del keep[10:], k
    assert sorted(values) == list(range(10))
    with pytest.raises(TypeError):
        weakref.ref(point(make)(1))


def test_del_and_resurrection(make):
    died, saved = [], []

    @make
    class C:
        __slots__ = ("name", "other", "__weakref__")

        def __init__(self, name):
            self.name = name

        def __del__(self):
            died.append(self.name)
            if self.name == "phoenix":
                saved.append(self)

    C("a")
    c = C("phoenix")
    ref = weakref.ref(c)
    del c
    assert died == ["a", "phoenix"] and saved[0].name == "phoenix" and ref() is saved[0]
    saved.clear()                   # finalized once, as PEP 442 has it
    assert died == ["a", "phoenix"] and ref() is None
    C("b")
    assert died[-1] == "b"
    x, y = C("x"), C("y")
    x.other, y.other = y, x
    del x, y
    gc.collect()
    assert sorted(died[-2:]) == ["x", "y"]
    died.clear()
    with pytest.raises(TypeError):
        C()
    assert not died                 # AttributeError in __del__ is reported, not raised


pytestmark_unraisable = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
test_del_and_resurrection = pytestmark_unraisable(test_del_and_resurrection)


def test_del_comes_and_goes(make):
    P = point(make)
    died = []
    old = [P(i) for i in range(5)]
    P.__del__ = lambda self: died.append(self.x)
    del old
    P(9)
    assert sorted(died) == [0, 1, 2, 3, 4, 9]
    del P.__del__
    P(10)
    assert 10 not in died


def test_del_changes_the_class(make):
    P = point(make)
    seen = []

    class Sub(P):
        __slots__ = ()

    P.__del__ = lambda self: (seen.append(type(self)), setattr(self, "__class__", Sub))
    for i in range(5):
        P(i)
    assert seen == [P] * 5


def test_fields_see_a_dying_owner(make):
    """What the fields' finalizers do, make instances, collect, must not disturb the one that is dying."""
    P = point(make)
    made = []

    class Noisy:
        def __del__(self):
            made.append([P(self), P([]), P(1)])
            gc.collect()
            made.pop()

    for _ in range(20):
        P(Noisy(), P(P(Noisy()), [Noisy()]))


def test_order_of_the_fields_deaths(make):
    died = []

    class Noisy:
        def __init__(self, name):
            self.name = name

        def __del__(self):
            died.append(self.name)

    class Base:
        __slots__ = ("z", "a")

    @make
    class C(Base):
        __slots__ = ("y", "b")

    c = C()
    for name in "zayb":
        setattr(c, name, Noisy(name))
    del c
    assert died == ["b", "y", "a", "z"]


# ---- the collector ----

def test_cycles_are_collected_however_they_came_about(make):
    for frozen in (False, True):
        P = point(make, weakref_slot=True, frozen=frozen)
        churn(P, 1)
        put = object.__setattr__
        alive = []

        def watch(p):
            alive.append(weakref.ref(p))
            return p

        a = watch(P(1))                                 # by itself
        put(a, "y", a)
        b, c = watch(P(1)), watch(P(2))                 # two of the class
        put(b, "y", c), put(c, "y", b)
        d = watch(P([]))                                # through a list, from birth
        d.x.append(d)
        e = watch(P({}))                                # through a dict that held nothing at birth
        e.x["e"] = e
        f = watch(P(()))                                # through a tuple set later
        put(f, "x", (f,))
        g, h = watch(P(0)), watch(P(1))                 # nested, then closed
        put(g, "x", P(h)), put(h, "y", g)
        i = watch(copy.copy(a))
        j = watch(P(1))                                 # through a closure
        put(j, "x", lambda: j)
        del a, b, c, d, e, f, g, h, i, j
        gc.collect()
        assert [r() for r in alive] == [None] * len(alive)


def test_cycles_do_not_pile_up(make):
    """Written cycles only, no other container is born: the pool itself must see to it that the collector runs."""
    P = point(make)
    gc.collect()
    before = len(gc.get_objects())
    most = 0
    for i in range(60_000):
        a, b = P(i), P(i)
        a.y, b.y = b, a
        if i % 1000 == 0:
            info = _pool.info(P)
            most = max(most, len(gc.get_objects()) - before + (info["untracked"] if info else 0))
    assert most < 30_000


def test_untracked_while_it_cannot_be_in_a_cycle():
    P = PooledGlobal
    for value in (1, "a", None, 1.5, b"", int, ..., P(1), print.__name__):
        assert not gc.is_tracked(P(value)), value
    for value in ([], {1, 2}, lambda: 0, P, P([]), P(P(1)), object.__new__(type("D", (), {}))):
        assert gc.is_tracked(P(value)), value
    p = P(1)
    p.y = [p]
    gc.collect()
    assert gc.is_tracked(p)
    keep = [P(i) for i in range(1000)]
    assert not any(gc.is_tracked(k) for k in keep) and _pool.info(P)["untracked"] >= 1000
    gc.collect()
    assert not any(gc.is_tracked(k) for k in keep)
    keep[500].y = keep
    gc.collect()
    assert [gc.is_tracked(k) for k in keep].count(True) == 1


def test_free_blocks_are_given_back():
    P = point(memsure.pooled)
    keep = [P(i) for i in range(200_000)]
    most = _pool.info(P)["most"]
    del keep
    assert 0 < _pool.info(P)["free"] <= most + 1
    gc.collect()                    # what was not needed since the last full collection
    gc.collect()
    assert _pool.info(P)["free"] == 0
    keep = [P([]) for i in range(200_000)]
    del keep
    assert 0 < _pool.info(P)["free"] <= most + 1
    _pool.sweep(True)
    assert _pool.info(P)["free"] == 0


def test_memory_is_that_of_the_plain_class():
    for options in ({}, {"weakref_slot": True}, {"frozen": True}):
        plain, pooled = point(lambda cls: cls, **options), point(memsure.pooled, **options)
        assert sys.getsizeof(plain(1)) == sys.getsizeof(pooled(1)) == _pool.info(pooled)["block"]
        assert plain.__basicsize__ == pooled.__basicsize__


def test_bytes_as_allocated():
    """What the allocator is asked for, instance by instance: never more than for the plain class, whichever free list it comes from."""
    for options in ({}, {"weakref_slot": True}, {"frozen": True}):
        plain, pooled = point(lambda cls: cls, **options), point(memsure.pooled, **options)
        for arguments in ("1, 2", "value, 2", "value, value"):
            assert pools.bytes_each(pooled, arguments) <= pools.bytes_each(plain, arguments) == _pool.info(pooled)["block"]


def test_deep_chains(make):
    @make
    class Node:
        __slots__ = ("next", "more")

        def __init__(self, next, more=None):
            self.next = next
            self.more = more

    class Sub(Node):
        __slots__ = ()

    for link in (lambda n: n, lambda n: [n], lambda n: (n,), lambda n: {1: n}, lambda n: lambda: n):
        for cls in (Node, Sub):
            node = None
            for _ in range(100_000):
                node = cls(link(node))
            del node
    a = b = None
    for i in range(50_000):
        a, b = Node(a, i % 3 and [b]), Sub(b, (a,))
    del a, b


def test_references_are_counted(make):
    P = point(make)

    @make
    @dataclass(slots=True, frozen=True)
    class F:
        a: object
        b: object = field(default_factory=list)
        c: InitVar[object] = None

        def __post_init__(self, c):
            if c:
                raise c

    value, error = object(), KeyError()
    counts = lambda: [sys.getrefcount(o) for o in (value, P, F, error)]
    churn(P, value)
    churn(F, value)
    before = counts()
    many = [P(value, value) for _ in range(10)] + [F(value, value) for _ in range(10)]
    assert counts() == [before[0] + 40, before[1] + 10, before[2] + 10, before[3]]
    del many
    for _ in range(100):
        P(value, y=value)
        F(value)
        F(a=value)
        for bad in (lambda: P(), lambda: P(value, value, value), lambda: F(value, q=value), lambda: F(value, c=error)):
            try:
                bad()
            except (TypeError, KeyError):
                pass
    error.__traceback__ = None
    assert counts() == before


def test_classes_die(make):
    def one(n):
        P = point(make)
        keep = [P(i) for i in range(100)] + [P([])]
        del keep
        P.me, P.others = P(1), [P(i) for i in range(n)]
        return weakref.ref(P)

    refs = [one(n) for n in (1, 10, 5000)]
    gc.collect()
    gc.collect()
    gc.collect()
    assert all(r() is None for r in refs)


# ---- threads, interpreters ----

def test_threads(make):
    P = point(make)
    errors = []

    def work(seed):
        r = random.Random(seed)
        keep = {}
        for i in range(4000):
            k = r.randrange(60)
            keep[k] = P(i, keep.pop(k, None) if r.random() < 0.5 else [i])
            if r.random() < 0.01:
                keep.clear()
            if keep.get(k) and keep[k].x != i:
                errors.append(i)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(interval)
    assert not errors


PROGRAM = """
    import gc, memsure
    from dataclasses import dataclass

    @memsure.pooled
    @dataclass(slots=True)
    class P:
        x: int
        y: object = None

    keep = [P(i) for i in range(3000)]
    keep[3].y = keep
    keep[4].y = keep[5]
    keep[5].y = keep[4]
    [P([]) for _ in range(100)]
    assert keep[7] == P(7)
"""


def test_subinterpreters():
    done = run("""
        import sys, threading
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters

        def work():
            for own in (True, False) * 3:
                try:
                    if sys.version_info >= (3, 13):
                        i = interpreters.create("isolated" if own else "legacy")
                    else:
                        i = interpreters.create(isolated=own)
                except ImportError:
                    continue
                error = interpreters.run_string(i, PROGRAM)
                assert error is None, error
                interpreters.destroy(i)

        exec(PROGRAM)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads: t.start()
        for t in threads: t.join()
        print("done")
    """.replace("PROGRAM", repr(textwrap.dedent(PROGRAM))))
    assert done.stdout == "done\n" and done.stderr == "" and done.returncode == 0


def run(source, **env):
    return subprocess.run([sys.executable, "-c", textwrap.dedent(source)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, **env})


@pytest.mark.parametrize("allocator", ["debug", "malloc_debug"])
def test_at_the_end_of_the_interpreter(allocator):
    source = textwrap.dedent(PROGRAM) + textwrap.dedent("""
        import sys
        class Last:
            def __del__(self):
                P(1), P([]), [P(i) for i in range(50)]
                print("last")
        sys.keep = P(Last(), P(Last()))
        cycle = P(Last()); cycle.y = cycle
        other = P(Last()); other.y = other
        del cycle
    """)
    plain = run(source.replace("@memsure.pooled", ""), PYTHONMALLOC=allocator)
    done = run(source, PYTHONMALLOC=allocator)
    assert plain.stdout.startswith("last\n")
    assert (done.stdout, done.stderr, done.returncode) == (plain.stdout, "", 0)


# ---- with the recorder ----

def test_a_recording_counts_as_if_there_was_no_pool(record):
    source = """
        from dataclasses import dataclass
        import gc
        gc.disable()                # what a collection allocates counts for the line that it came upon
        POOLED
        @dataclass(slots=True)
        class P:
            x: object
            y: object = None
        def main():
            a = 2.5
            for i in range(1000):
                P(a)            # site: churn
            keep = [None] * 500
            for i in range(500):
                keep[i] = P(a)  # site: keep
        main()
    """
    for how in ("", "import memsure; pooled = memsure.pooled"):
        text = source.replace("POOLED", "@pooled" if how else "")
        rec = record(how + "\n" + textwrap.dedent(text).lstrip("\n"))
        assert rec.status == 0, rec.stderr
        churn, keep = rec.at("churn"), rec.at("keep")
        if how:
            assert (churn.allocated_blocks, churn.freed_blocks, keep.allocated_blocks) == (1000, 1000, 500)
        else:                       # a tuple of the arguments for each call, or for the first
            assert 1000 <= churn.allocated_blocks <= 2000 and 500 <= keep.allocated_blocks <= 1000


def test_recording_switches_the_pools_off():
    P = point(memsure.pooled)
    keep = [P(i) for i in range(100)]
    churn(P, 1)
    try:
        _pool.recording(True)
        assert _pool.info(P)["free"] == 0 and all(gc.is_tracked(k) for k in keep)
        churn(P, 1)
        del keep
        assert _pool.info(P)["free"] == 0 and _pool.check() is None
    finally:
        _pool.recording(False)
    churn(P, 1)
    assert _pool.info(P)["free"] > 0


# ---- hostile classes, hostile moments ----

def test_a_weak_reference_to_one_that_waits_for_its_death(make):
    """Deep chains are taken apart in a loop: what waits is dead, and no weak reference may bring it back meanwhile."""
    @make
    @dataclass(slots=True, weakref_slot=True)
    class N:
        a: object = None
        b: object = None
        c: object = None

    seen = []

    class Looks:
        def __init__(self, ref):
            self.ref = ref

        def __del__(self):
            seen.append(self.ref())

    for depth in range(90, 110):
        for held in (1, []):
            first, second = N(N(held)), N(N(held))
            node = N(first, second, Looks(weakref.ref(second)))
            del first, second
            for _ in range(depth):
                node = N(node)
            del node
    assert seen == [None] * 40


def test_chains_with_finalizers_and_weak_references(make):
    died = []

    @make
    class N:
        __slots__ = ("next", "__weakref__")

        def __init__(self, next):
            self.next = next

        def __del__(self):
            died.append(None)

    node, refs = None, []
    for i in range(30_000):
        node = N(node if i % 2 else [node])
        if i % 100 == 0:
            refs.append(weakref.ref(node))
    del node
    assert len(died) == 30_000 and all(r() is None for r in refs)


def test_hooks_of_the_class_statement(make):
    log = []

    class Named:
        def __set_name__(self, owner, name):
            log.append((owner.__name__, name))

        def __get__(self, instance, owner):
            return "named"

    class Base:
        __slots__ = ()

        def __init_subclass__(cls, /, tag=None, **kwargs):
            super().__init_subclass__(**kwargs)
            log.append((cls.__name__, tag))

        def __class_getitem__(cls, item):
            return (cls, item)

    @make
    class C(Base, tag="t"):
        __slots__ = {"x": "the first", "y": None}
        __match_args__ = ("y", "x")
        named = Named()

        def __init__(self, x, y):
            self.x = x
            self.y = y

    churn(C, 1, 2)
    assert log == [("C", "named"), ("C", "t")] and C[int] == (C, int) and C(1, 2).named == "named"
    assert inspect.getdoc(C.x) == "the first"
    match C(1, 2):
        case C(2, 1):
            pass
        case _:
            raise AssertionError
    log.clear()

    class D(C, tag="u"):
        __slots__ = ()
    assert log == [("D", "u")] and D(3, 4).y == 4


def test_private_names_and_shadowed_slots(make):
    class Base:
        __slots__ = ("x", "__secret")

        def __init__(self):
            self.x = "base"
            self.__secret = 1

        def of_base(self):
            return Base.x.__get__(self), self.__secret

    @make
    class C(Base):
        __slots__ = ("x", "__secret")

        def __init__(self, x, secret):
            self.x = x
            self.__secret = secret

        def own(self):
            return self.x, self.__secret

    churn(C, 1, [2])
    c = C(1, [2])
    assert c.own() == (1, [2])
    with pytest.raises(AttributeError):
        c.of_base()
    Base.__init__(c)
    assert c.x == "base" and c._C__secret == [2] and c._Base__secret == 1


def test_enum_self_and_replace(make):
    import enum

    class Color(enum.Enum):
        RED = 1

    @make
    @dataclass(slots=True, frozen=True)
    class C:
        color: Color = Color.RED
        other: "typing.Optional[typing.Self]" = None

        def with_other(self) -> "C":
            return dataclasses.replace(self, other=self)

    churn(C)
    c = C()
    d = c.with_other()
    assert d.other is c and d.color is Color.RED and hash(c) == hash(C())
    if sys.version_info >= (3, 13):
        assert copy.replace(c, other=3).other == 3 and copy.replace(d).other is c


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of 3.12")
def test_type_parameters(make):
    space = {"make": make, "dataclass": dataclass}
    exec("@make\n@dataclass(slots=True)\nclass Box[T]:\n    value: T\n    next: 'Box[T] | None' = None\n", space)
    Box = space["Box"]
    churn(Box, 1)
    assert Box[int](1, Box[str]("a")).next.value == "a" and Box.__type_params__[0].__name__ == "T"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol(protocol):
    """Slots classes cannot be pickled below protocol 2, pooled or not; frozen dataclasses with slots can, by their __getstate__."""
    for cls in (PlainGlobal, PooledGlobal, FrozenGlobal):
        outcomes = []
        for value in (1, [1]):
            try:
                outcomes.append(pickle.loads(pickle.dumps(cls(1, value), protocol)) == cls(1, value))
            except TypeError as e:
                outcomes.append(re.sub("'.*?'", "", str(e)))
        assert outcomes == ([True, True] if protocol > 1 or outcomes[0] is True else [outcomes[0]] * 2)
        if cls is PlainGlobal:
            plain = outcomes
        elif cls is PooledGlobal:
            assert outcomes == plain


def test_frozen_heap_and_gc_switched_off(make):
    P = point(make, weakref_slot=True)
    a, b = P(1), P(2)
    a.y, b.y = b, a
    refs = weakref.ref(a), weakref.ref(b)
    gc.disable()
    try:
        keep = [P(i) for i in range(5000)]
        gc.freeze()
        del a, b
        some = [P(i, [i]) for i in range(5000)]
        some[0].y = some
        ref = weakref.ref(some[0])
        del some, keep
        gc.collect()
        assert ref() is None
        gc.unfreeze()
        gc.collect()
        assert [r() for r in refs] == [None, None]
    finally:
        gc.enable()


def test_gc_callbacks_taken_out():
    """Then full collections do not ask the pools first; what piles up is still given to the collector when it has doubled."""
    P = point(memsure.pooled, weakref_slot=True)
    ours = [c for c in gc.callbacks if getattr(c, "__module__", "") == "memsure._pool" or "_collecting" in repr(c)]
    assert len(ours) == 1
    gc.callbacks.remove(ours[0])
    try:
        a = P(1)
        a.y = a
        ref = weakref.ref(a)
        del a
        keep = [P(i) for i in range(10_000)]
        gc.collect()
        assert ref() is None and _pool.check() is None
        del keep
    finally:
        gc.callbacks.append(ours[0])


def test_bases_are_exchanged(make):
    class A:
        __slots__ = ()

        def __init__(self, x):
            self.x = ("A", x)

    class B:
        __slots__ = ()

        def __init__(self, x):
            self.x = x

    @make
    class C(B):
        __slots__ = ("x",)

    churn(C, 1)
    assert C(1).x == 1
    C.__bases__ = (A,)
    assert C(1).x == ("A", 1) and C.__mro__ == (C, A, object)
    A.__init__ = lambda self, x: setattr(self, "x", "changed")
    assert C(1).x == "changed"


def test_abstract_methods_come_and_go(make):
    @make
    @dataclass(slots=True)
    class C(abc.ABC):
        x: int

    churn(C, 1)
    C.__abstractmethods__ = frozenset({"f"})
    with pytest.raises(TypeError, match="abstract"):
        C(1)
    C.__abstractmethods__ = frozenset()
    assert C(1).x == 1


def test_called_in_every_way(make):
    import functools
    import operator

    P = point(make)

    class Keyword(str):
        pass

    calls = [lambda: P(*(1,), **{"y": 2}), lambda: P.__call__(1, 2), lambda: type.__call__(P, 1, y=2), lambda: functools.partial(P, 1)(2),
             lambda: next(map(P, [1], [2])), lambda: operator.call(P, 1, 2), lambda: P(**{Keyword("x"): 1, Keyword("y"): 2}),
             lambda: functools.reduce(P, [1, 2]), lambda: sorted([1], key=lambda x: P(x, 2)) and P(1, 2)]
    churn(P, 1)
    for call in calls:
        for _ in range(3):
            p = call()
            assert type(p) is P and (p.x, p.y) == (1, 2)


def test_changed_while_it_is_made(make):
    """A default factory, or __post_init__, changes the class, its constructor or its slots under the call that runs."""
    def change():
        C.extra = object()
        C.__init__ = C.__init__
        gc.collect()
        return [1]

    @make
    @dataclass(slots=True)
    class C:
        a: int
        b: list = field(default_factory=change)

        def __post_init__(self):
            type(self).extra = 5
            if self.a == 7:
                self.__class__ = Other

    class Other:
        __slots__ = ("a", "b")

    for i in range(12):
        c = C(i)
        assert c.a == i and c.b == [1] and type(c) is (Other if i == 7 else C)


def test_identity_and_addresses(make):
    """Two that live at once are two; one that died may give its place to the next, as ever."""
    P = point(make)
    alive = [P(i, [i] if i % 3 else None) for i in range(3000)]
    assert len({id(p) for p in alive}) == 3000
    known = {id(p): p for p in alive[::2]}
    del alive[1::2]
    fresh = [P(i) for i in range(3000)]
    assert not {id(p) for p in fresh} & known.keys() and all(known[id(p)] is p for p in alive)


def test_fields_that_raise_as_they_die(make):
    P = point(make)

    class Bad:
        def __del__(self):
            raise ValueError("as it dies")

    hook, told = sys.unraisablehook, []
    sys.unraisablehook = lambda u: told.append(type(u.exc_value))
    try:
        for _ in range(10):
            P(Bad(), Bad())
        try:
            raise KeyError
        except KeyError:
            P(Bad(), [Bad()])
            assert sys.exc_info()[0] is KeyError
    finally:
        sys.unraisablehook = hook
    assert told == [ValueError] * 22


def test_threads_with_collections_and_cycles(make):
    P = point(make, weakref_slot=True)
    stop, alive = threading.Event(), []

    def collects():
        while not stop.is_set():
            gc.collect()

    def works(seed):
        r = random.Random(seed)
        for i in range(1500):
            a, b = P(i), P(i, {})
            if r.random() < 0.5:
                a.y = b
                b.y = a if r.random() < 0.5 else [a]
            if r.random() < 0.05:
                alive.append(weakref.ref(a))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        collector = threading.Thread(target=collects)
        workers = [threading.Thread(target=works, args=(i,)) for i in range(4)]
        for t in (collector, *workers):
            t.start()
        for t in workers:
            t.join()
        stop.set()
        collector.join()
    finally:
        sys.setswitchinterval(interval)
    gc.collect()
    assert all(r() is None for r in alive)


def test_another_interpreter_runs_as_a_chain_dies():
    """A finalizer deep in a chain runs an interpreter whose own instances die there: each frees its own."""
    done = run("""
        import sys
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        exec(PROGRAM)
        inner = interpreters.create()
        assert interpreters.run_string(inner, PROGRAM) is None

        class Runs:
            def __del__(self):
                out = interpreters.run_string(inner, "p = None\\nfor _ in range(300): p = P(1, p)\\ndel p\\nkeep.append(P(1, P(2)))")
                assert out is None, out

        for depth in (5, 99, 100, 101, 250):
            node = P(P(P(1), P(2)), Runs())
            for _ in range(depth):
                node = P(1, node)
            del node
        from memsure import _pool
        assert _pool.check() is None
        assert interpreters.run_string(inner, "from memsure import _pool\\nassert _pool.check() is None") is None
        interpreters.destroy(inner)
        print("done")
    """.replace("PROGRAM", repr(textwrap.dedent(PROGRAM))))
    assert done.stdout == "done\n" and done.stderr == "" and done.returncode == 0, done.stderr


# ---- what is refused ----

@pytest.mark.parametrize("why, source", [
    ("__dict__", "class C: pass"),
    ("slots=True", "@dataclass\nclass C:\n  x: int"),
    ("Base has no __slots__", "class Base: pass\nclass C(Base):\n  __slots__ = ('x',)"),
    ("__dict__", "class C:\n  __slots__ = ('x', '__dict__')"),
    ("not a class", "C = 5"),
    ("not a class", "def C(): pass"),
    ("not written in Python", "C = int"),
    ("written in C|__dict__|differ", "class C(int):\n  __slots__ = ()"),
    ("written in C|__dict__", "class C(Exception):\n  __slots__ = ('x',)"),
    ("written in C|differ", "class C(dict):\n  __slots__ = ('x',)"),
    ("no fields", "class C:\n  __slots__ = ()"),
    ("no fields", "class C:\n  __slots__ = ('__weakref__',)"),
])
def test_refused(why, source):
    space = {"dataclass": dataclass}
    exec(source, space)
    with pytest.raises(memsure.NotPooled, match=why) as caught:
        memsure.pooled(space["C"])
    assert isinstance(caught.value, TypeError) and "cannot be pooled: " in str(caught.value)


@pytest.mark.parametrize("options", [{}, {"frozen": True}, {"gc": False}])
def test_a_class_that_c_code_makes_is_refused(options):
    """msgspec's metaclass answers the call itself; to type.__call__ its classes cannot be called."""
    msgspec = pytest.importorskip("msgspec")
    S = msgspec.defstruct("S", ["x", ("y", list, msgspec.field(default_factory=list))], **options)
    with pytest.raises(memsure.NotPooled, match="StructMeta is written in C"):
        memsure.pooled(S)
    assert S(1) == S(1, []) and msgspec.json.decode(b'{"x":1}', type=S) == S(1) and "StructMeta is written in C" in pools.explain(S)


def test_decorated_twice_or_with_instances():
    @dataclass(slots=True)
    class P:
        x: int
        y: object = None

    class Sub(P):
        __slots__ = ()
    old = [P(1), Sub(2), P([]), P(3)]
    old[3].y = old[3]
    assert memsure.pooled(P) is P and memsure.pooled(P) is P
    old += [P(5), Sub(5)]
    assert [o.x for o in old] == [1, 2, [], 3, 5, 5]
    del old
    gc.collect()


def test_what_is_compiled():
    """The shapes that are to be fast are; the others say why not."""
    def compiled(source):
        space = {"dataclass": dataclass, "field": field}
        exec(textwrap.dedent(source), space)
        return pools.compile_constructor(memsure.pooled(space["C"]))[1]

    header = "@dataclass(slots=True{})\nclass C:\n"
    for options in ("", ", frozen=True", ", kw_only=True", ", frozen=True, weakref_slot=True"):
        for body in ("  x: int", "  x: int\n  y: int = 3", "  x: int\n  y: list = field(default_factory=list)",
                     "  x: int\n  y: list = field(default_factory=list)\n  z: dict = field(default_factory=dict)\n  w: int = 4",
                     "  x: int\n  y: int = field(default=3, init=False)\n  def __post_init__(self): pass",
                     "\n".join(f"  x{i}: int = {i}" for i in range(60))):
            assert compiled(header.format(options) + body) is None
    slots = "class C:\n  __slots__ = ('a', 'b')\n  def __init__(self, a, b=None):\n"
    assert compiled(slots + "    self.a = a\n    self.b = b") is None
    assert compiled(slots + "    self.a, self.b = [], {}") is None
    for body, why in [("self.a = a + b", "does more"), ("self.a = self", "stores self"), ("self.a = print(b)", "does more|calls"),
                      ("self.a = a if b else 3", "branch|does more"), ("a.b = self", "another object"), ("self.a = a; self.a = b", "twice"),
                      ("c = a; self.b = c", "does more|local"), ("return a", "returns"), ("self.a = f'{a}'", "does more"),
                      ("self.a = [a]", "does more"), ("self.a = lambda: a", "inner"), ("self.b.c = a", "does more|another")]:
        assert (said := compiled(slots + "    " + body)) and re.search(why, said), body


def test_explain():
    P = point(memsure.pooled)
    assert pools.explain(P) == f"{P.__qualname__}: its constructor is compiled"
    P.__init__ = lambda self, x: setattr(self, "x", x)
    assert "__init__ is called: it" in pools.explain(P)
    P.__new__ = lambda cls, x: object.__new__(cls)
    assert "type.__call__ is used: the class has a __new__ of its own" in pools.explain(P)
    assert "cannot be pooled: it is not written in Python" in pools.explain(int)
    assert pools.explain(point(lambda cls: cls)).endswith(" is not pooled")


def test_a_factory_that_is_the_class_itself(make):
    P = point(make)

    @make
    @dataclass(slots=True)
    class C:
        a: list = field(default_factory=list)

    cells = dict(zip(C.__init__.__code__.co_freevars, C.__init__.__closure__))
    next(cell for cell in cells.values() if cell.cell_contents is list).cell_contents = C
    with pytest.raises(RecursionError):
        C()
    assert P(1).y == 7 and C(1).a == 1


def test_expected_gain(monkeypatch):
    """Shapes that are measured are the shapes that are meant; numbers are the machine's."""
    made = []
    monkeypatch.setattr(pools, "pooled", lambda cls: made.append(cls) or memsure.pooled(cls))
    for options in ({}, {"frozen": True}, {"compiled": False}, {"containers": True}, {"fields": 5}):
        plain, pooled = pools.expected_gain(**options)
        assert plain > 0 and pooled > 0
        assert (constructor(made[-1]) == "compiled") == options.get("compiled", True)
        assert len(made[-1].__slots__) == options.get("fields", 2)


@pytest.mark.parametrize("checker, options", [
    ("mypy", ["--strict", "--cache-dir", os.devnull]),
    ("basedpyright", ["--pythonpath", sys.executable]),     # it would look for modules in the python of PATH
    ("pyright", ["--pythonpath", sys.executable]),
])
def test_type_checkers_see_the_class(checker, options):
    """They find the three faults marked in the file, and nothing else."""
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed")
    path = Path(__file__).with_name("typed_pooled.py")
    done = subprocess.run([sys.executable, "-m", checker, *options, str(path)], capture_output=True, text=True)
    found = sorted(int(n) for n in re.findall(r"typed_pooled\.py:(\d+):.*\berror\b", done.stdout))
    assert found == [i for i, line in enumerate(path.read_text().splitlines(), 1) if "# error" in line], done.stdout


def test_stubs_name_what_there_is():
    for module in (pools, memsure.buffers):
        stub = Path(module.__file__).with_suffix(".pyi").read_text()
        assert set(re.findall(r"^(?:def|class) (\w+)", stub, re.M)) - {"_Class"} == set(module.__all__)


# ---- random classes, random operations, compared with the plain class ----

def random_class(r):
    """The source of a class C, as text: fields, defaults, constructor, options."""
    n = r.randint(1, 6)
    names = [f"f{i}" for i in range(n)]
    if r.random() < 0.6:
        options = ["slots=True"] + [o for o in ("frozen=True", "order=True", "weakref_slot=True", "kw_only=True", "eq=False") if r.random() < 0.25]
        if "eq=False" in options:
            options = [o for o in options if o != "order=True"]
        lines, defaulted = [], False
        for i, name in enumerate(names):
            defaulted = defaulted or r.random() < 0.3 and "kw_only=True" not in options
            form = r.randrange(4) if defaulted or "kw_only=True" in options else 0
            lines.append(f"    {name}: object" + ["", f" = {i}", " = field(default_factory=list)", f" = field(default={i}, init=False)"][form]
                         if form or not defaulted else f"    {name}: object = None")
        if r.random() < 0.3:
            lines.append("    def __post_init__(self):\n        log.append(('post', " + ", ".join(f"type(self.{x})" for x in names) + "))")
        return f"@make\n@dataclass({', '.join(options)})\nclass C(Base):\n" + "\n".join(lines)
    params, body = [], []
    for i, name in enumerate(names):
        choice = r.randrange(6)
        if choice < 3:
            params.append(name if not params or "=" not in params[-1] and choice < 2 else f"{name}={i}")
            body.append(f"self.{name} = {name}")
        elif choice < 5:
            body.append(f"self.{name} = {r.choice(['[]', '{}', 'None', repr(i), '(1, 2)', repr('s'), 'log', 'len(log)'])}")
    r.shuffle(body)
    if r.random() < 0.2:
        body.append("log.append('init')")
    slots = names + (["__weakref__"] if r.random() < 0.3 else [])
    dying = "\n    def __del__(self): log.append('del')" if r.random() < 0.1 else ""
    return (f"@make\nclass C(Base):\n    __slots__ = {slots}\n    def __init__({', '.join(['self', *params])}):\n        "
            + "\n        ".join(body or ["pass"]) + dying)


def random_history(source, seed, make):
    """What a random sequence of operations on that class shows: a list of what came of each."""
    r, log, seen = random.Random(seed), [], []

    class Base:
        __slots__ = ()

    space = {"make": make, "dataclass": dataclass, "field": field, "log": log, "Base": Base, "__name__": __name__}
    exec(source, space)
    C = space["C"]
    fields = [n for n in dict.fromkeys(n for c in C.__mro__ for n in vars(c).get("__slots__", ())) if n.startswith("f")]

    class Sub(C):
        __slots__ = ()

    class Wide(C):
        pass

    pool = []

    def show(o, depth=0):
        if type(o) in (C, Sub, Wide):
            return type(o).__name__, depth < 3 and [show(getattr(o, f, "unset"), depth + 1) for f in fields]
        if isinstance(o, (list, dict)):
            return type(o).__name__, len(o)
        return repr(o) if not callable(o) else "callable"

    def value():
        k = r.randrange(8)
        if k < 3 and pool:
            return pool[r.randrange(len(pool))]
        return [1, "text", None, [], (1, [2]), {}, 2.5, (), show][r.randrange(9)]

    for _ in range(120):
        k = r.randrange(14)
        try:
            if k < 6:
                args = [value() for _ in range(r.randint(0, len(fields)) if r.random() < 0.7 else len(fields))]
                names = [f for f in fields if r.random() < 0.3] + (["nonsense"] if r.random() < 0.03 else [])
                pool.append((C if k < 4 else Sub if k == 4 else Wide)(*args, **{n: value() for n in names}))
                out = show(pool[-1])
            elif not pool:
                continue
            else:
                i = r.randrange(len(pool))
                o, f = pool[i], r.choice(fields)
                if k == 6:
                    out = show(pool.pop(i))
                elif k == 7:
                    setattr(o, f, value())
                    out = show(o)
                elif k == 8:
                    delattr(o, f)
                    out = show(o)
                elif k == 9:
                    object.__setattr__(o, f, value())
                    out = show(o)
                elif k == 10:
                    pool.append(copy.copy(o))
                    out = show(pool[-1])
                elif k == 11:
                    out = show(o), o == o, isinstance(o, C), sys.getsizeof(o)
                elif k == 12:
                    o.__class__ = r.choice([C, Sub, Wide])
                    out = show(o)
                else:
                    out = gc.collect() >= 0 if r.random() < 0.1 else show(o.__reduce_ex__(4)[0])
            o = None
        except Exception as e:
            e.__traceback__ = None
            out = type(e).__name__, str(e).replace("object at 0x", "")
        seen.append(out)
        seen.append(tuple(map(str, log)) if len(log) < 50 else len(log))
    del pool[:]
    o = out = None
    gc.collect()
    seen.append(sorted(map(str, log)))
    return seen


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_random_classes_behave_as_plain_ones(start):
    kinds = {"compiled": 0, "called": 0, "plain": 0}
    for seed in range(start, start + 50):
        source = random_class(random.Random(seed))
        try:
            plain = random_history(source, seed, lambda cls: cls)
        except TypeError:
            continue                # no class at all: dataclass says so
        made = []
        assert random_history(source, seed, lambda cls: made.append(memsure.pooled(cls)) or cls) == plain, f"seed {seed}:\n{source}"
        kinds[constructor(made[0])] += 1
        assert _pool.check() is None, f"seed {seed}"
    assert kinds["compiled"] > 10 and kinds["called"] > 2, kinds


# ---- CPython's own tests ----

@pytest.mark.parametrize("slots", ["-slots", pytest.param("", marks=pytest.mark.slow)])
def test_cpythons_tests_of_dataclasses(slots):
    """Every test ends with pooled classes as it ends without; with -slots every dataclass has slots, so nearly all are pooled."""
    if importlib.util.find_spec("test.test_dataclasses") is None:
        pytest.skip("CPython's tests are not installed")
    runs = [subprocess.Popen([sys.executable, str(Path(__file__).with_name("pooled_suite.py")), mode + slots],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for mode in ("plain", "pooled")]
    plain, pooled = (json.loads(r.communicate(timeout=120)[0].splitlines()[-1]) for r in runs)
    different = {name: (o, pooled["outcomes"].get(name)) for name, o in plain["outcomes"].items() if o != pooled["outcomes"].get(name)}
    assert not different and len(pooled["outcomes"]) == len(plain["outcomes"]) > 200
    assert pooled["counts"]["broken"] is None and pooled["counts"]["compiled"] > (200 if slots else 15)


# ---- without memory ----

def test_every_failed_allocation():
    _testcapi = pytest.importorskip("_testcapi")

    def source_of(kind):
        space = {"dataclass": dataclass, "field": field}
        exec(textwrap.dedent({
            "simple": "@dataclass(slots=True)\nclass C:\n  x: object\n  y: object = None",
            "factory": "@dataclass(slots=True)\nclass C:\n  x: object\n  y: object = field(default_factory=list)",
            "called": "class C:\n  __slots__ = ('x', 'y')\n  def __init__(self, x, y=None, **more):\n    self.x = x; self.y = [y]",
        }[kind]), space)
        return space["C"]

    def fails_until_it_works(call):
        for n in range(1, 500):
            _testcapi.set_nomemory(n, n + 1)
            try:
                result = call()
            except MemoryError:
                continue
            finally:
                _testcapi.remove_mem_hooks()
            return result, n
        pytest.fail("never worked")

    value = object()
    for kind in ("simple", "factory", "called"):
        C = source_of(kind)
        plan, _ = pools.compile_constructor(C)
        fails_until_it_works(lambda: _pool.attach(C, plan))
        keep, count = [], sys.getrefcount(value)
        for call in (lambda: C(value), lambda: C([value]), lambda: C(value, y=value), lambda: C(x=value), lambda: C.__new__(C)):
            for _ in range(3):
                _pool.sweep(True)
                keep.append(fails_until_it_works(call)[0])
                assert _pool.check() is None
        assert type(keep[0]) is C and keep[0].x is value
        del keep[:]
        gc.collect()
        assert sys.getrefcount(value) == count and _pool.check() is None
