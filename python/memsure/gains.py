"""What pooling would gain, told before anybody changes the program.

Of a class, its source is enough: `of_class` reads fields, slots, bases and decorators off its syntax tree, and what its constructor does off
the bytecode that the text compiles to, with the reader that @memsure.pooled itself uses (pools.compile_constructor).
Nothing of the program is run but constructors that were seen to store and to compute with numbers (`_runnable`). A
stand-in of the same shape, plain and pooled, is then timed on this machine, in a loop as the program's; the recording
says how many were made. Where the class would gain nothing, or where the change might be another program, the answer is
a reason and no advice:

  no gain       as measured: a constructor that computes keeps its frame, and on 3.14 and later that leaves nothing to gain
  not known     a constructor that calls what only the program has; a __new__ or metaclass of its own
  not the same  a __dict__ that the program uses, attributes set from outside, bases and decorators that are not known

Of a buffer, `of_buffer` times a new one, filled by the program, against filling the same one again.

Costs: some 10 ms for a finding, when its words are first asked for.
"""

import ast
import dis
import re
import sys
import types

HARMLESS = {"final", "total_ordering", "runtime_checkable"}
SLOTTED = {"object", "Generic", "Protocol", "ABC"}  # bases without a __dict__
MOST_SLOTS = 24
# What a constructor may do to be run here, with numbers: no loop, no import, no power, nothing of the program's own but itself.
PURE = re.compile(
    "RESUME|NOP|CACHE|NOT_TAKEN|PRECALL|CALL(_KW)?|KW_NAMES|PUSH_NULL|POP_TOP|COPY|SWAP|(LOAD|STORE)_FAST.*|LOAD_CONST|LOAD_SMALL_INT"
    "|(LOAD|STORE)_ATTR|LOAD_GLOBAL|LOAD_COMMON_CONSTANT|BINARY_OP|COMPARE_OP|IS_OP|CONTAINS_OP|UNARY_.*|TO_BOOL|POP_JUMP_.*IF_.*"
    "|JUMP_IF_.*_OR_POP|JUMP_FORWARD|BUILD_(TUPLE|LIST|MAP|SET|STRING)|FORMAT_.*|CONVERT_VALUE|RAISE_VARARGS|RETURN_VALUE|RETURN_CONST"
)
NUMBERS = {"int": int, "float": float, "bool": bool, "abs": abs, "min": min, "max": max, "round": round, "isinstance": isinstance,
           "ValueError": ValueError, "TypeError": TypeError}  # fmt: skip
LEAST = 1.3  # times: below, it is not worth a line


class Silent(Exception):
    """No advice; the message says why."""


class Gain:
    """What one change gains: how many of what, times as fast, bytes. `ns()` is measured when first asked."""

    __slots__ = ("what", "number", "bytes", "before", "after", "blocks", "mark", "_measure", "_ns")

    def __init__(self, what, measure, mark=None, blocks=1):
        self.what = what
        self.number = self.bytes = 0
        self.before = self.after = 0  # bytes that one takes
        self.blocks = blocks  # that making one allocates
        self.mark = mark
        self._measure = measure
        self._ns = None

    def ns(self):
        """(one as it is, one with the change), nanoseconds."""
        if self._ns is None:
            self._ns = self._measure(self)
        return self._ns

    @property
    def factor(self):
        before, after = self.ns()
        return before / max(after, 1.0)

    @property
    def pays(self):
        return self.factor >= LEAST

    @property
    def seconds(self):
        before, after = self.ns()
        return self.number * max(before - after, 0.0) / 1e9

    def count(self, figures):
        """figures: (column, end_column, blocks, bytes) of each site of the line. Those of the marked call, else the line's largest.
        False: there are columns, and none is the call's (a comprehension on the same line, before 3.12 a function of its own)."""
        marked = [f for f in figures if self.mark and f[:2] == self.mark[1:]]
        at = marked or sorted(figures, key=lambda f: -f[2])[:1]
        self.number = sum(f[2] for f in at) // self.blocks
        self.bytes = sum(f[3] for f in at)
        return bool(marked) or not self.mark or not any(f[1] > 0 for f in figures)

    def data(self):
        """As JSON has it."""
        before, after = self.ns()
        return {
            "what": self.what,
            "number": self.number,
            "factor": round(self.factor, 1),
            "ns_before": round(before, 1),
            "ns_after": round(after, 1),
            "seconds": round(self.seconds, 4),
            "bytes_before": self.before,
            "bytes_after": self.after,
        }


class Shape:
    """A class, as its source tells."""

    __slots__ = ("name", "fields", "slots", "dataclass", "inherited")

    def __init__(self, name):
        self.name = name
        self.fields = []  # own
        self.inherited = []
        self.slots = False
        self.dataclass = None  # {option: value}


# ---- classes


def of_class(m, kind, call=None):
    """(Gain, patch) of @memsure.pooled on a class of a module; Silent says why not. call: how it is made, as a node."""
    try:
        shape = shape_of(m, kind)
        make = _stand_in(m, kind, shape)
    except (TypeError, ValueError, AttributeError, SyntaxError, RecursionError) as e:  # a class that Python would not make either
        raise Silent(str(e)) from None
    arguments = _fitting(make, _arguments(m, kind, shape, call), shape.slots)
    mark = (call.lineno, call.col_offset, call.end_col_offset) if call is not None and call.lineno == call.end_lineno else None
    gain = Gain(shape.name, lambda gain: _measure(gain, make, arguments, shape.slots), mark, _blocks(shape, make(True), call))
    return gain, _class_patch(m, kind, shape)


def _blocks(shape, stand_in, call):
    """How many blocks a call of the class allocates at its own instruction: the instance and, where CPython has no
    faster way for such a call, the tuple and dict of its arguments."""
    nargs, named = (len(call.args), len(call.keywords)) if call is not None else (1, 0)
    version = sys.version_info[:2]
    code = getattr(stand_in.__init__, "__code__", None)
    short = code is not None and nargs < code.co_argcount - 1
    values = not shape.slots and version < (3, 13)
    slow = version < (3, 13) or version < (3, 14) and (shape.slots or short) or named
    return 1 + values + bool(slow and nargs) + 4 * bool(named)


def shape_of(m, kind, below=()):
    if kind.name in below:
        raise Silent("it is its own base")
    shape = Shape(kind.name)
    for d in kind.decorator_list:
        f = d.func if isinstance(d, ast.Call) else d
        name = f.id if isinstance(f, ast.Name) else f.attr if isinstance(f, ast.Attribute) else ""
        if name == "dataclass":
            shape.dataclass = _options(d)
        elif name == "pooled":
            raise Silent("it is pooled")
        elif name not in HARMLESS:
            raise Silent(f"what @{m.text(d)} makes of it is not known")
    for k in kind.keywords:
        if k.arg != "metaclass" or m.text(k.value).rpartition(".")[2] != "ABCMeta":
            raise Silent("its metaclass or its base may change how it is made")
    _slots(m, kind, shape)
    for base in kind.bases:
        name = base.value if isinstance(base, ast.Subscript) else base
        name = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
        if name in SLOTTED:
            continue
        above = _class_named(m, name)
        if above is None:
            raise Silent(f"its base {name} is made elsewhere")
        over = shape_of(m, above, (*below, kind.name))
        if not over.slots:
            raise Silent(f"its base {name} has a __dict__")
        shape.inherited += over.inherited + over.fields
    for name in ("__new__", "__del__", "__setattr__", "__getstate__", "__reduce__", "__init_subclass__"):
        if _method(kind, name):
            raise Silent(f"it has a {name} of its own")
    if shape.dataclass is not None:
        _dataclass_fields(m, kind, shape)
    if not shape.slots:
        _can_have_slots(m, kind, shape, below)
    if not shape.fields + shape.inherited:
        raise Silent("its instances have no fields")
    if len(set(shape.fields + shape.inherited)) < len(shape.fields + shape.inherited):
        raise Silent("it has a field twice")
    return shape


def _class_named(m, name):
    found = [n for n in ast.walk(m.tree) if isinstance(n, ast.ClassDef) and n.name == name]
    return found[0] if len(found) == 1 else None


def _options(d):
    out = {}
    for k in d.keywords if isinstance(d, ast.Call) else ():
        if k.arg is None or not isinstance(k.value, ast.Constant):
            raise Silent("the options of @dataclass are computed")
        out[k.arg] = k.value.value
    return out


def _method(kind, name):
    return next((f for f in kind.body if isinstance(f, ast.FunctionDef) and f.name == name), None)


def _slots(m, kind, shape):
    if shape.dataclass is not None and shape.dataclass.get("slots"):
        shape.slots = True
    for n in kind.body:
        if not (isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__slots__" for t in n.targets)):
            continue
        try:
            names = ast.literal_eval(n.value)
        except ValueError:
            raise Silent("its __slots__ are computed") from None
        names = [names] if isinstance(names, str) else list(names)
        if "__dict__" in names:
            raise Silent("its instances are to have a __dict__")
        shape.slots = True
        shape.fields = [name for name in names if name != "__weakref__"]


def _dataclass_fields(m, kind, shape):
    declared = []
    for n in kind.body:
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name):
            words = m.text(n.annotation)
            if "ClassVar" in words:
                continue
            if "InitVar" in words or words.rpartition(".")[2] == "KW_ONLY":
                raise Silent("it has an InitVar or a KW_ONLY")  # its stand-in would need both
            declared.append(n.target.id)
    if not _method(kind, "__slots__") and shape.fields and set(declared) - set(shape.fields):
        raise Silent("its __slots__ are not its fields")
    if not shape.fields:
        shape.fields = [name for name in declared if name not in shape.inherited]


def _stores(kind):
    """Names that the class's methods store on their first parameter -> {name: line}."""
    out = {}
    for f in kind.body:
        if not isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if any(getattr(d, "id", "") in ("staticmethod", "classmethod") for d in f.decorator_list):
            continue
        parameters = [*f.args.posonlyargs, *f.args.args]
        if not parameters:
            continue
        me = parameters[0].arg
        for n in ast.walk(f):
            if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and isinstance(n.value, ast.Name) and n.value.id == me:
                out.setdefault(n.attr, n.lineno)
    return out


def _can_have_slots(m, kind, shape, below):
    """Whether the class means the same with __slots__; its fields."""
    if below:
        raise Silent(f"its base {kind.name} has a __dict__")
    stored = _stores(kind)
    for n in ast.walk(m.tree):
        if isinstance(n, ast.Attribute) and n.attr in ("__dict__", "__weakref__", "cached_property"):
            raise Silent(f"line {n.lineno} may use its {n.attr}")
        if isinstance(n, ast.Name) and n.id in ("vars", "setattr", "delattr", "cached_property") or isinstance(n, (ast.Import, ast.ImportFrom)) and any(
            a.name.partition(".")[0] == "weakref" for a in n.names
        ) or isinstance(n, ast.ImportFrom) and n.module == "weakref":
            raise Silent(f"line {n.lineno} may need its __dict__, or refer to it weakly")
        if isinstance(n, ast.ClassDef) and n is not kind and len(n.bases) > 1 and any(isinstance(b, ast.Name) and b.id == kind.name for b in n.bases):
            raise Silent(f"{n.name} inherits from it and from others")
    if shape.dataclass is not None:
        fields = shape.fields
        if set(stored) - set(fields):
            raise Silent(f"it stores {min(set(stored) - set(fields))}, which is no field")
        for n in ast.walk(kind):
            if isinstance(n, ast.Name) and n.id in ("super", "__class__"):
                raise Silent("a dataclass with slots is a new class, which super() does not know")
    else:
        fields = shape.fields = sorted(stored, key=stored.get)
        for n in kind.body:
            names = [n.target] if isinstance(n, ast.AnnAssign) and n.value else n.targets if isinstance(n, ast.Assign) else ()
            names = {t.id for t in names if isinstance(t, ast.Name)} | ({n.name} if hasattr(n, "name") else set())
            if names & set(fields):
                raise Silent(f"{min(names & set(fields))} is an attribute of the class, too")
    if not 0 < len(fields) <= MOST_SLOTS:
        raise Silent("it has no fields, or very many")
    known = {name for k in ast.walk(m.tree) if isinstance(k, ast.ClassDef) and k is not kind for name in (*_stores(k), *_declared(k))}
    imported = {(a.asname or a.name).partition(".")[0] for n in ast.walk(m.tree) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
    inside = {id(n) for n in ast.walk(kind)}
    for n in ast.walk(m.tree):
        if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and id(n) not in inside and n.attr not in fields and n.attr not in known:
            root = n.value
            while isinstance(root, (ast.Attribute, ast.Subscript)):
                root = root.value
            if not (isinstance(root, ast.Name) and root.id in imported):
                raise Silent(f"line {n.lineno} sets .{n.attr}, perhaps on one of them")


def _declared(kind):
    return [n.target.id for n in kind.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]


# ---- stand-ins


def _constructor(m, kind, seen=()):
    """(class, __init__ as a node) where it is defined; (None, None): object's."""
    found = _method(kind, "__init__")
    if found or kind.name in seen:
        return kind, found
    for base in kind.bases:
        above = _class_named(m, base.value.id if isinstance(base, ast.Subscript) and isinstance(base.value, ast.Name) else getattr(base, "id", ""))
        if above is not None:
            where, found = _constructor(m, above, (*seen, kind.name))
            if found is not None or _is_dataclass(where):
                return where, found
    return kind, None


def _is_dataclass(kind):
    return any("dataclass" in ast.unparse(d) for d in kind.decorator_list)


def _code_of(m, function):
    """The code object that a method's text compiles to."""
    todo = [compile(m.tree, "<source>", "exec", dont_inherit=True)]
    first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
    while todo:
        code = todo.pop()
        if code.co_name == function.name and code.co_firstlineno == first:
            return code
        todo += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    raise Silent("its constructor does not compile")


def _stand_in(m, kind, shape):
    """A function that makes a class of this shape, with slots or as it is. Silent where its constructor would not be compiled."""
    from . import pools

    where, init = _constructor(m, kind)
    options = shape.dataclass
    if init is None and (options is not None and options.get("init", True) or _is_dataclass(where)):
        make = _data_maker(m, kind, where, shape)
    elif init is None:
        make = lambda slots: type(shape.name, (), {"__slots__": shape.inherited + shape.fields} if slots else {})
    else:
        if init.decorator_list:
            raise Silent("its __init__ is decorated")
        code = _code_of(m, init)
        space = {"__builtins__": NUMBERS}
        posts = {"__post_init__": _post_init(m, [kind])}
        defaults = (None,) * len(init.args.defaults)
        kwdefaults = {a.arg: None for a, d in zip(init.args.kwonlyargs, init.args.kw_defaults) if d is not None}

        def make(slots):
            function = types.FunctionType(code, space, "__init__", defaults, tuple(types.CellType(1) for _ in code.co_freevars))
            function.__kwdefaults__ = kwdefaults or None
            body = {"__init__": function, **posts}
            return type(where.name, (), {**body, "__slots__": shape.inherited + shape.fields} if slots else body)

    plan, why = pools.compile_constructor(make(True))
    if plan is None and not (init is not None and _runnable(m, init)):
        raise Silent(f"its constructor is called: {why}")
    return make


def _post_init(m, chain):
    """The __post_init__ of the first of these classes that has one, where it may be run here; None: there is none."""
    for kind in chain:
        post = _method(kind, "__post_init__")
        if post is not None:
            if not _runnable(m, post):
                raise Silent("its __post_init__ does what only the program can")
            return types.FunctionType(_code_of(m, post), {"__builtins__": NUMBERS}, "__post_init__")
    return None


def _runnable(m, function):
    """Whether a method stores and computes with numbers, and no more: it is run with numbers then, and may raise."""
    code = _code_of(m, function)
    own = {n.id for n in ast.walk(m.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} | {getattr(n, "name", "") for n in m.tree.body}
    product = sequence = False
    for i in dis.get_instructions(code):
        op, what = i.opname, i.argrepr
        if not PURE.fullmatch(op) or op == "LOAD_GLOBAL" and (i.argval not in NUMBERS or i.argval in own):
            return False
        if op == "LOAD_ATTR" and (i.argval.startswith("_") or sys.version_info >= (3, 12) and i.arg & 1):
            return False  # a method
        if op == "BINARY_OP" and what in ("**", "**=", "<<", "<<="):
            return False
        product = product or op == "BINARY_OP" and what in ("*", "*=")
        sequence = sequence or op.startswith("BUILD_") or op == "LOAD_CONST" and isinstance(i.argval, (str, bytes, tuple))
    return not (product and sequence) and not function.decorator_list


def _data_maker(m, kind, where, shape):
    import dataclasses

    specs = []
    chain = [kind]
    while chain[-1].bases:
        above = _class_named(m, getattr(chain[-1].bases[0], "id", ""))
        if above is None:
            break
        chain.append(above)
    for k in reversed(chain):
        for n in k.body:
            if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name) and "ClassVar" not in m.text(n.annotation):
                specs.append((n.target.id, object, *_default(n.value)))
    options = {k: v for k, v in (shape.dataclass or {}).items() if k in ("frozen", "kw_only")}
    post = _post_init(m, chain)

    def make(slots):
        space = {"__post_init__": post} if post else {}
        return dataclasses.make_dataclass(shape.name, specs, namespace=space, slots=slots, **options)

    return make


def _default(value):
    """The default of a field, as one of its kind -> () or (a dataclasses.field,)."""
    import dataclasses

    if value is None:
        return ()
    if isinstance(value, ast.Call) and (getattr(value.func, "id", "") or getattr(value.func, "attr", "")) == "field":
        given = {k.arg: k.value for k in value.keywords}
        options = {k: given[k].value for k in ("init", "kw_only") if isinstance(given.get(k), ast.Constant)}
        if "default_factory" in given:
            made = {"list": list, "dict": dict, "set": set, "tuple": tuple}.get(getattr(given["default_factory"], "id", ""), list)
            return (dataclasses.field(default_factory=made, **options),)
        return (dataclasses.field(default=None, **options) if "default" in given else dataclasses.field(**options),)
    return (dataclasses.field(default=None),)


def _arguments(m, kind, shape, call):
    """A call's arguments, as text for pools.compare(): as many as the program gives; constants, lists for displays, else a new number."""
    if call is None or any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return None
    displays = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    shown = lambda n: "value" if isinstance(n, displays) else "1" if isinstance(n, ast.Constant) else "i"
    return ", ".join([*map(shown, call.args), *(f"{k.arg}={shown(k.value)}" for k in call.keywords)])


def _fitting(make, arguments, slots):
    """Arguments with which the stand-in can be made: these, or those that its signature needs."""
    import inspect

    plain = make(slots)
    parameters = inspect.signature(plain).parameters.values()
    needed = [p for p in parameters if p.default is p.empty and p.kind < p.VAR_POSITIONAL]
    named = [p for p in parameters if p.default is p.empty and p.kind == p.KEYWORD_ONLY]
    for text in (arguments, ", ".join(["i"] * len(needed) + [f"{p.name}=i" for p in named])):
        try:
            if text is not None:
                eval(f"cls({text})", {"cls": plain, "value": [], "i": 1000})
                return text
        except TypeError:  # other parameters than the source shows here
            pass
        except Exception as e:
            raise Silent(f"its constructor does not take numbers: {e}") from None
    raise Silent("its constructor does not take numbers")


def _measure(gain, make, arguments, slots):
    from . import pools

    pooled = pools.pooled(make(True))
    plain = make(slots)
    try:
        gain.before, gain.after = pools.bytes_each(plain, arguments), pools.bytes_each(pooled, arguments)
        return pools.compare(plain, pooled, arguments)
    except Exception:  # a constructor that takes some numbers, but not these
        return 1.0, 1.0


# ---- the change of a class


def _class_patch(m, kind, shape):
    top = min([kind.lineno, *(d.lineno for d in kind.decorator_list)])
    lines = []
    if not any(isinstance(n, ast.Import) and any(a.name == "memsure" and not a.asname for a in n.names) for n in m.tree.body):
        lines.append((import_line(m), "+", "import memsure"))
    lines.append((top, "+", f"{m.indent(kind.lineno)}@memsure.pooled"))
    if shape.slots:
        return lines
    if shape.dataclass is not None:
        d = next(d for d in kind.decorator_list if "dataclass" in m.text(d))
        if isinstance(d, ast.Call):
            words = m.text(d)
            new = m.replaced(d, words[:-1] + ("" if words.endswith("()") else ", ") + "slots=True)") if "slots" not in shape.dataclass else None
        else:
            new = m.replaced(d, m.text(d) + "(slots=True)")
        if new is None:
            raise Silent("its @dataclass cannot be changed on one line")
        return lines + m.change(d.lineno, new)
    body = kind.body
    first = body[1] if len(body) > 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else body[0]
    at = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", ()))])
    if at == kind.lineno:
        raise Silent("it stands on one line")
    names = ", ".join(f'"{name}"' for name in shape.fields)
    lines.append((at, "+", f"{m.indent(at)}__slots__ = ({names}{',' if len(shape.fields) == 1 else ''})"))
    return lines


def import_line(m):
    """Where a module's `import memsure` goes: below its first imports, or its docstring."""
    at = 1
    for i, n in enumerate(m.tree.body):
        docstring = i == 0 and isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) and isinstance(n.value.value, str)
        if not docstring and not isinstance(n, (ast.Import, ast.ImportFrom)):
            break
        at = (n.end_lineno or n.lineno) + 1
    else:
        return at
    if at == 1:
        n = m.tree.body[0]
        return min([n.lineno, *(d.lineno for d in getattr(n, "decorator_list", ()))])
    return at


# ---- buffers


def of_buffer(name, mark, pooled=False):
    """The Gain of one buffer used again, against a new one each time; pooled: of taking it from memsure.buffers, with its zeros."""

    def measure(gain):
        from . import buffers

        gain.before = gain.after = gain.bytes // max(gain.number, 1)
        return buffers.compare(gain.before, name != "empty", pooled)

    return Gain("buffer", measure, mark, 3 if name == "bytearray" else 1)  # the object, its room, and the tuple of the arguments
