"""@memsure.pooled: a class whose instances are born and die in C, and whose memory is used again.

This file decides, once for each class, at decoration: may the class be pooled, and what does its constructor do?
The second is read off the code of `__init__` itself, by running its instructions on names instead of values
(`compile_constructor`). Where `__init__` only stores its parameters, constants, fresh lists and dicts, and what
default factories return, and perhaps calls `__post_init__`, it never runs again: src/act/pool.c does the same stores.
Any other `__init__` is called as before, on memory from the pool. The bytecode is the truth here, not the source and
not what dataclasses says: so a dataclass, an attrs class and a class written by hand are one case.
"""

import dis
import sys
import types

import memsure
from memsure import _pool

if memsure._recorded is None:       # it was recorded, and is no longer
    _pool.recording(False)

__all__ = ["NotPooled", "expected_gain", "explain", "pooled"]


class NotPooled(TypeError):
    """This class cannot be pooled faithfully, or would gain nothing; the message says why, and what to change."""


def pooled(cls):
    """Make instances of a class with __slots__ several times cheaper to create and drop.

    The class stays the same object and means the same; dataclasses need slots=True, and @pooled above @dataclass.
    Raises NotPooled where that cannot be done. docs/POOLS.md has the measurements, and when not to.

    >>> import memsure
    >>> from dataclasses import dataclass
    >>> @memsure.pooled
    ... @dataclass(slots=True, frozen=True)
    ... class Point:
    ...     x: float
    ...     y: float = 0.0
    >>> Point(1)
    Point(x=1, y=0.0)
    """
    if not isinstance(cls, type):
        raise NotPooled(f"{cls!r} cannot be pooled: it is not a class")
    if why := refusal(cls):
        raise NotPooled(f"{cls.__qualname__} cannot be pooled: {why}")
    plan, _ = compile_constructor(cls)
    _pool.attach(cls, plan)
    return cls


def explain(cls):
    """What calling a pooled class does, and why not less: one sentence. For a class that is not pooled, why it is not.

    >>> import memsure.pools
    >>> memsure.pools.explain(int)
    'int cannot be pooled: it is not written in Python'
    """
    info = _pool.info(cls)
    if info is None:
        why = refusal(cls)
        return f"{cls.__qualname__} cannot be pooled: {why}" if why else f"{cls.__qualname__} is not pooled"
    _, why = compile_constructor(cls)
    if info["constructor"] == "compiled":
        return f"{cls.__qualname__}: its constructor is compiled"
    how = "__init__ is called" if info["constructor"] == "called" else "type.__call__ is used"
    return f"{cls.__qualname__}: {how}: {why or 'the class was changed'}"


def expected_gain(fields=2, *, frozen=False, compiled=True, containers=False):
    """(ns plain, ns pooled) of creating and dropping one instance, measured on this machine and this Python, now.

    Of a stand-in: a dataclass with slots and so many fields, which may be frozen; not compiled: an __init__ that computes;
    containers: one field holds a list. It says what @pooled would gain for a class of that shape, before anybody changes it.
    """
    names = [f"f{i}" for i in range(max(fields, 1))]
    params, stores = ", ".join(names), [f"self.{name} = {name}" for name in names]
    if frozen:
        stores = [f"put(self, {name!r}, {name})" for name in names]
    if not compiled:
        stores[0] = stores[0].replace("= f0", "= f0 or 0")
    source = f"def __init__(self, {params}): {'; '.join(stores)}"
    classes = []
    for how in ("plain", "pooled"):
        space = {"put": object.__setattr__}
        if frozen and compiled:
            from dataclasses import make_dataclass
            cls = make_dataclass("StandIn", names, slots=True, frozen=True)
        else:
            exec(source, space)
            cls = type("StandIn", (), {"__slots__": names, "__init__": space["__init__"]})
        classes.append(pooled(cls) if how == "pooled" else cls)
    return compare(*classes, ", ".join(["value" if containers else "i", *"i" * (len(names) - 1)]))


def compare(plain, pooled, arguments):
    """(ns plain, ns pooled) of making one, binding it to a variable, and dropping the one before.

    arguments: text, as a call has it; `i` is a new number each time, which dies with the instance, `value` a list.
    """
    loops = []
    for cls in (plain, pooled):
        space = {"cls": cls, "value": []}
        exec(f"def loop(n):\n for i in range(1000, 1000 + n): it = cls({arguments})\ndef empty(n):\n for i in range(1000, 1000 + n): pass", space)
        loops += [space["loop"], space["empty"]]
    plain, nothing, with_pool, again = least(loops, 500)
    return plain - nothing, with_pool - again


def bytes_each(cls, arguments, n=256):
    """What one instance takes, as it was asked of the allocator; what it is given is not counted."""
    import gc
    import tracemalloc

    space = {"cls": cls, "value": []}
    exec(f"def fill(keep):\n for at, i in enumerate(numbers): keep[at] = cls({arguments})", space)
    space["numbers"] = range(1000, 1000 + n)
    space["fill"]([None] * n)
    space["numbers"] = list(range(1000, 1000 + n))
    _pool.sweep(True)
    started, on = not tracemalloc.is_tracing(), gc.isenabled()
    keep = [None] * n
    gc.disable()
    if started:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        space["fill"](keep)
        return (tracemalloc.get_traced_memory()[0] - before) // n
    finally:
        if started:
            tracemalloc.stop()
        if on:
            gc.enable()


def least(functions, n, rounds=25):
    """ns a step of each function(n), run in turn: CPU time, and the least of all rounds, since the machine may have something else to do."""
    import time

    best = [float("inf")] * len(functions)
    for _ in range(rounds):
        for i, f in enumerate(functions):
            start = time.thread_time()
            f(n)
            best[i] = min(best[i], time.thread_time() - start)
    return [b / n * 1e9 for b in best]


def refusal(cls):
    """Why not, as a clause; None: nothing speaks against it."""
    if cls.__flags__ & (1 << 8) or not cls.__flags__ & (1 << 9):        # immutable, or not made at run time
        return "it is not written in Python"
    if type(cls).__basicsize__ != type.__basicsize__:       # of a metaclass written in Python it never differs
        return f"its metaclass {type(cls).__qualname__} is written in C, and makes its instances itself"
    if cls.__dictoffset__:
        names = [c.__qualname__ for c in cls.__mro__ if "__dict__" in vars(c)]
        if "__slots__" in vars(cls) and "__dict__" in cls.__slots__ or not names:
            return "its instances have a __dict__, which CPython makes faster than a pool can"
        what = f"{names[-1]} has no __slots__"
        if names[-1] == cls.__qualname__ and "__dataclass_fields__" in vars(cls):
            what = "use @dataclass(slots=True), below @pooled"
        return f"its instances have a __dict__ ({what}), which CPython makes faster than a pool can"
    for base in cls.__mro__[:-1]:
        if base.__basicsize__ > object.__basicsize__ and not is_python_class(base):
            return f"its base {base.__qualname__} is written in C, with memory of its own"
    if cls.__itemsize__:
        return "its instances differ in size"
    if not any(slots_of(c) for c in cls.__mro__):
        return "its instances have no fields: one of them, used by all, does as well"
    return None


def is_python_class(cls):
    return bool(cls.__flags__ & (1 << 9)) and not cls.__flags__ & (1 << 8) and "__slots__" in vars(cls)


def slots_of(cls):
    return [d for d in vars(cls).values() if type(d) is types.MemberDescriptorType]


# ---- what a constructor does ----

MOST = 64                                           # parameters, and stores: MS_POOL_VALUES
ARG, CONST, CELL, LIST, DICT, CALL, DEFAULT = range(7)     # ms_store_kind
NULL, METHOD, SELF = "null", "method", ("arg", 0)


class Other(Exception):
    """It does something else; the message says what."""


def compile_constructor(cls):
    """(plan for _pool.attach, None), or (None, why `__init__` is called instead)."""
    try:
        return plan_of(cls), None
    except Other as why:
        return None, str(why)
    except RecursionError:
        return None, "it is too long"


def attribute(cls, name):
    """The class's attribute as it stands in the __dict__ of the class that has it."""
    for c in cls.__mro__:
        if name in vars(c):
            return vars(c)[name]
    return None


def plan_of(cls):
    init = attribute(cls, "__init__")
    if cls.__new__ is not object.__new__:
        raise Other("the class has a __new__ of its own")
    if hasattr(cls, "__del__"):
        raise Other("the class has a __del__, which sees instances whose constructor failed")
    if init is object.__init__:
        return init, (), 0, 0, None, ()
    if type(init) is not types.FunctionType:
        raise Other("__init__ is not a Python function")
    code = init.__code__
    if code.co_flags & 0x2AC:                       # *args, **kwargs, generators and coroutines
        raise Other("__init__ takes *args or **kwargs")
    if not code.co_argcount or code.co_cellvars:
        raise Other("__init__ has no self, or inner functions")
    names = code.co_varnames[1:code.co_argcount + code.co_kwonlyargcount]
    if len(names) > MOST:
        raise Other(f"__init__ has more than {MOST} parameters")
    stores, post = Reader(init).run()
    if len(stores) > MOST or len({name for name, _, _ in stores}) < len(stores):
        raise Other("__init__ stores a field twice, or more fields than a plan holds")

    free = len(code.co_varnames) + len(code.co_cellvars)    # cells are numbered behind the locals
    cell = lambda i: init.__closure__[i - free]
    plain_setattr = cls.__setattr__ is object.__setattr__
    plan = []
    for name, value, by_object in stores:
        member = attribute(cls, name)
        if type(member) is not types.MemberDescriptorType:
            raise Other(f"{name} is not a slot")
        if not by_object and not plain_setattr:
            raise Other("the class has a __setattr__ of its own")
        arg, what, unless = 0, None, None
        match value:
            case "arg", i:
                kind, arg = ARG, i - 1
            case "const", holder:
                kind, what = CONST, holder.value
            case "cell", i:
                kind, what = CELL, cell(i)
            case "list", :
                kind = LIST
            case "dict", :
                kind = DICT
            case "call", i:
                kind, what = CALL, cell(i)
            case "default", i, unless, i_call:
                kind, arg, what, unless = DEFAULT, i - 1, cell(i_call), cell(unless)
            case _:
                raise Other(f"it stores {value[0]} in {name}")
        if kind == ARG and arg < 0 or kind == DEFAULT and arg < 0:
            raise Other("it stores self")
        plan.append((kind, by_object, arg, what, unless, name, member))
    if post is not None:
        post = post[0], *[i - 1 for i in post[1]]
    return init, names, max(code.co_posonlyargcount - 1, 0), code.co_kwonlyargcount, post, tuple(plan)


class Held:
    """A constant of the code; equal only to itself, so that 1, 1.0 and True stay apart."""
    def __init__(self, value):
        self.value = value


class Reader:
    """Runs a constructor's instructions on symbols.

    A state is (index of the instruction, stack). What runs from a state to the end is a tuple of events, each
    a store or the call of __post_init__; both ways of a branch are followed, and must differ in one value only.
    """

    def __init__(self, function):
        code = function.__code__
        self.closure = function.__closure__ or ()
        self.free = len(code.co_varnames) + len(code.co_cellvars)
        self.instructions = [i for i in dis.get_instructions(code, show_caches=False) if i.opname != "CACHE"]
        self.at = {ins.offset: i for i, ins in enumerate(self.instructions)}
        self.local = {name: i for i, name in enumerate(code.co_varnames)}
        self.nparam = code.co_argcount + code.co_kwonlyargcount
        self.consts = {}
        self.known = {}
        self.steps = 0

    def run(self):
        events = self.rest(0, ())
        post = None
        if events and events[-1][0] is None:
            post = events[-1][1:]
            events = events[:-1]
        if any(name is None for name, *_ in events):
            raise Other("it calls __post_init__ before its last store")
        return list(events), post

    def rest(self, i, stack):
        """The events from instruction i on."""
        key = i, stack
        if key not in self.known:
            self.known[key] = self.follow(i, stack)
        return self.known[key]

    def variable(self, name):
        i = self.local.get(name, self.nparam)
        if i >= self.nparam:
            raise Other(f"it has the local variable {name}")
        return "arg", i

    def const(self, value):
        return "const", self.consts.setdefault((type(value), id(value)), Held(value))

    def follow(self, i, stack):
        stack = list(stack)
        while True:
            self.steps += 1
            if self.steps > 10_000:
                raise Other("it is too long")
            ins = self.instructions[i]
            op, arg, i = ins.opname, ins.argval, i + 1
            match op:
                case "RESUME" | "NOP" | "COPY_FREE_VARS" | "PRECALL" | "NOT_TAKEN":
                    pass
                case "PUSH_NULL":
                    stack.append(NULL)
                case "LOAD_FAST" | "LOAD_FAST_BORROW" | "LOAD_FAST_CHECK":
                    stack.append(self.variable(arg))
                case "LOAD_FAST_LOAD_FAST" | "LOAD_FAST_BORROW_LOAD_FAST_BORROW":
                    stack += [self.variable(name) for name in arg]
                case "LOAD_CONST" | "LOAD_SMALL_INT":
                    stack.append(self.const(arg))
                case "LOAD_COMMON_CONSTANT":
                    value = dis._common_constants[ins.arg]
                    stack.append(self.const(value))
                case "LOAD_DEREF":
                    stack.append(("cell", ins.arg))
                case "BUILD_LIST" | "BUILD_MAP" if ins.arg == 0:
                    stack.append(("list",) if op == "BUILD_LIST" else ("dict",))
                case "LOAD_METHOD":
                    stack += [(METHOD, arg), stack.pop()]
                case "LOAD_ATTR" if ins.arg & 1 and sys.version_info >= (3, 12):
                    stack += [(METHOD, arg), stack.pop()]
                case "IS_OP" if ins.arg == 0:
                    right, left = stack.pop(), stack.pop()
                    stack.append(("is", left, right))
                case "SWAP":
                    stack[-1], stack[-ins.arg] = stack[-ins.arg], stack[-1]
                case "POP_TOP":
                    if stack.pop() != ("none",):
                        raise Other("it computes something and drops it")
                case "STORE_ATTR":
                    target, value = stack.pop(), stack.pop()
                    if target != SELF:
                        raise Other("it stores into another object")
                    return (arg, value, False), *self.rest(i, tuple(stack))
                case "CALL":
                    args = [stack.pop() for _ in range(ins.arg)][::-1]
                    second, first = stack.pop(), stack.pop()
                    event, result = self.call(first, second, args)
                    stack.append(result)
                    if event:
                        return event, *self.rest(i, tuple(stack))
                case "POP_JUMP_IF_FALSE" | "POP_JUMP_FORWARD_IF_FALSE":
                    condition = stack.pop()
                    yes, no = self.rest(i, tuple(stack)), self.rest(self.at[arg], tuple(stack))
                    return self.both(condition, yes, no)
                case "JUMP_FORWARD":
                    i = self.at[arg]
                case "RETURN_CONST":
                    if arg is not None:
                        raise Other("it returns something")
                    return ()
                case "RETURN_VALUE":
                    value = stack.pop()
                    if value[0] != "const" or value[1].value is not None:
                        raise Other("it returns something")
                    return ()
                case _:
                    raise Other(f"it does more than store its parameters ({op})")

    def call(self, first, second, args):
        """An event or None, and the result's symbol."""
        if first[0] == METHOD:
            name, owner = first[1], second
            if owner == SELF and name == "__post_init__" and all(a[0] == "arg" and a[1] > 0 for a in args):
                return (None, name, tuple(a[1] for a in args)), ("none",)
            if owner[0] == "cell" and name == "__setattr__" and len(args) == 3 and args[0] == SELF:
                if self.cell(owner[1]) is object and args[1][0] == "const" and type(args[1][1].value) is str:
                    return (args[1][1].value, args[2], True), ("none",)
            raise Other(f"it calls .{name}()")
        function = second if first == NULL else first
        if NULL not in (first, second) or function[0] != "cell" or args:
            raise Other("it calls a function")
        return None, ("call", function[1])

    def cell(self, i):
        try:
            return self.closure[i - self.free].cell_contents
        except ValueError:
            return None

    @staticmethod
    def both(condition, yes, no):
        """`factory() if parameter is MISSING else parameter`, the one branch that is understood."""
        if condition[0] != "is" or condition[1][0] != "arg" or condition[2][0] != "cell" or len(yes) != len(no):
            raise Other("it has a branch")
        events = []
        for a, b in zip(yes, no):
            if a == b:
                events.append(a)
            elif a[0] == b[0] is not None and a[2:] == b[2:] and a[1][0] == "call" and b[1] == condition[1]:
                events.append((a[0], ("default", condition[1][1], condition[2][1], a[1][1]), a[2]))
            else:
                raise Other("it has a branch")
        return tuple(events)
