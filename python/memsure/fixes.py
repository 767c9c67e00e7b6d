"""What the source says of a hot line: which pattern it is, and the code to write instead.

The checks measure that a line allocates much and keeps nothing; whether that is a list consumed by
sum(), a string grown by +=, or a parser made anew for each call, only the source tells. Reader looks
at the files of the lines it is asked for, each parsed once, and answers with a Pattern or None. None
is the answer whenever the source is gone, was changed, does not parse, or shows anything else: a
finding without its pattern is dropped.

A patch is lines with their numbers: (13, "-", 'out = ""'), (13, "+", "parts = []"). It is made of
the program's own text, and left out where the change does not fit on few lines.
"""

import ast
import re

CONSUMERS = {"sum", "any", "all", "max", "min", "set", "frozenset", "dict"}
CHANGERS = {"add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "popleft", "remove", "setdefault", "update"}
NUMBERS = {"len", "int", "float", "sum", "abs", "round", "ord", "hash"}
GROWERS = {"append", "concatenate", "concat", "hstack", "vstack", "cat", "insert", "r_", "c_"}
JOINERS = {"concatenate", "concat", "hstack", "vstack", "cat"}  # of these, the ones that take all parts at once
WHOLE = {"read", "readlines", "read_text", "read_bytes", "fetchall", "getvalue"}
BY_ROW = {"iterrows", "itertuples", "apply", "applymap"}  # make objects around those of each row
BOX = 64  # bytes of an int, a float, a short text
PIECES = {"read", "read1", "recv", "recvfrom", "readline", "append", "extend", "array", "appendleft", "frombytes"}
BOXES = {
    "tolist": "stay in the array: its own methods do the work without an object for each number",
    "to_list": "stay in the column: its own methods do the work without an object for each value",
    "to_pylist": "stay in Arrow: iterate over RecordBatches, compute with pyarrow.compute",
    "iterrows": "itertuples() makes one object for a row instead of a Series; columns need none",
    "itertuples": "work on whole columns: df['a'] + df['b'] makes no object for each row",
    "apply": "work on whole columns instead of calling a function for each row",
    "applymap": "work on whole columns instead of calling a function for each value",
    "to_dict": "keep the columns; a dict for each row boxes every value",
}
# Made empty or filled, and used again by a variable: up to several times as fast. What read(), copy() and the like return is not:
# the new object costs 0 to 30 % of the copying, measured.
BUFFERS = {"bytearray", "zeros", "ones", "full", "create_string_buffer"}
POOLED_FROM = 32 << 20  # bytes: malloc gives smaller ones back warm, and a pool, which fills them with zeros too, is no faster (bench/buffers.py)
MOST_MOVED = 12  # lines that a `with` takes in
# What writes a buffer before anything reads it, and what takes one without keeping it.
FILLERS = {"readinto", "readinto1", "recv_into", "recvfrom_into", "preadv", "readv"}
BORROWERS = FILLERS | {
    "len", "sum", "min", "max", "any", "all", "crc32", "adler32", "update", "write", "send", "sendall", "unpack_from", "pack_into",
    "mean", "std", "print", "float", "int",
}  # fmt: skip
FACTORIES = {
    "ArgumentParser", "compile", "Environment", "Session", "Client", "client", "resource", "Template", "connect",
    "create_engine", "JSONEncoder", "JSONDecoder", "load_model", "from_pretrained", "open_resource", "build",
}  # fmt: skip
ONCE = {"Thread", "Process", "Timer", "Event", "Lock", "RLock", "Condition", "StringIO", "BytesIO", "Path", "Decimal", "Future", "Queue",
        "Pool", "ThreadPool", "ProcessPoolExecutor", "ThreadPoolExecutor", "Manager"}  # a forked worker runs below the call that made the pool
CLASS_MAKERS = {"namedtuple", "make_dataclass", "create_model", "NamedTuple", "new_class"}
WAITS = {"get", "recv", "accept", "wait", "acquire", "sleep", "select", "poll", "read", "readline", "pop", "next"}
MOST_LINES = 8  # of a patch: more is no patch to paste


class Pattern:
    """What a line was seen to do: `title` of the finding, `note` beside the caret, `fix` in words,
    `patch` [(number, sign, text)], the marked part (line, column, end_column) or None, and `where`
    the fix belongs if that is another place ("in Catalog.__init__: ")."""

    __slots__ = ("title", "note", "fix", "patch", "mark", "where", "file", "rule", "gain", "made")

    def __init__(self, title, note="", fix="", patch=(), mark=None, where="", file=None):
        self.title = title
        self.note = note
        self.fix = fix
        self.patch = list(patch) if len(patch) <= MOST_LINES else []
        self.mark = mark
        self.where = where
        self.file = file
        self.rule = None  # another rule that the source shows instead
        self.gain = None  # gains.Gain: what the change gains, measured
        self.made = False  # an instance that another line makes: that one has to do it as often


class Module:
    """One source file, parsed: nodes know their parents."""

    def __init__(self, lines):
        self.lines = lines
        self.tree = ast.parse("\n".join(lines))
        self.parent = {}
        level = [self.tree]
        while level:  # outer nodes first
            below = []
            for node in level:
                for child in ast.iter_child_nodes(node):
                    self.parent[child] = node
                    below.append(child)
            level = below

    def at(self, line, *kinds):
        """Nodes of these kinds that cover a line, the innermost (last begun) first."""
        found = [
            n
            for n in self.parent
            if isinstance(n, kinds) and n.lineno <= line <= (n.end_lineno or n.lineno)
        ]
        found.sort(key=lambda n: (-n.lineno, -n.col_offset, n.end_lineno, n.end_col_offset))
        return found

    def imports(self, line):
        """Whether a line is an import statement's."""
        return any(isinstance(n, (ast.Import, ast.ImportFrom)) for n in self.at(line, ast.stmt)[:1])

    def up(self, node, *kinds):
        """The nearest node of these kinds above one, within its function."""
        while node in self.parent:
            node = self.parent[node]
            if isinstance(node, kinds):
                return node
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
                return None
        return None

    def scope(self, node):
        """The function (or module) that a node runs in."""
        while node in self.parent:
            node = self.parent[node]
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                return node
        return self.tree

    def owner(self, node):
        """The class that a node's code stands in, or None."""
        while node in self.parent:
            node = self.parent[node]
            if isinstance(node, ast.ClassDef):
                return node
        return None

    def statement(self, node):
        while node in self.parent and not isinstance(node, ast.stmt):
            node = self.parent[node]
        return node

    def text(self, node):
        """The source of an expression, on one line."""
        found = ast.get_source_segment("\n".join(self.lines), node)
        return " ".join(found.split()) if found else ast.unparse(node)

    def line(self, number):
        return self.lines[number - 1].rstrip() if 0 < number <= len(self.lines) else ""

    def replaced(self, node, words):
        """A line's text with a node (on one line) exchanged, or None."""
        if node.lineno != node.end_lineno:
            return None
        raw = self.line(node.lineno).encode()
        return (raw[: node.col_offset] + words.encode() + raw[node.end_col_offset :]).decode()

    def change(self, number, new):
        return [(number, "-", self.line(number)), (number, "+", new)] if new else []

    def indent(self, number):
        line = self.line(number)
        return line[: len(line) - len(line.lstrip())]


# What a patch may use, and how a module gets it.
IMPORTS = {
    "TTLCache": "from cachetools import TTLCache", "array": "from array import array", "cached_property": "from functools import cached_property",
    "deque": "from collections import deque", "functools": "import functools", "gc": "import gc", "lru_cache": "from functools import lru_cache",
    "weakref": "import weakref",
}  # fmt: skip


def with_imports(m, patch):
    """A patch with the imports that it needs and its module lacks, so that it runs where it is pasted."""
    from .gains import import_line

    new = "\n".join(words for _, sign, words in patch if sign == "+")
    needed = {name: words for name, words in IMPORTS.items() if name in new and words not in new and re.search(rf"(?<![\w.]){name}([.(]|$)", new, re.M)}
    if not needed:
        return list(patch)
    bound = {(a.asname or a.name).partition(".")[0] for n in m.parent if isinstance(n, (ast.Import, ast.ImportFrom)) and m.scope(n) is m.tree for a in n.names}
    return [(import_line(m), "+", words) for name, words in needed.items() if name not in bound] + list(patch)


def through_property(m, kind, node, name, stored, read):
    """The statement `node`, which stores the attribute `name` of the class `kind`, replaced by `stored` (None: by nothing), and a
    property of that name that gives `read`: whoever reads the attribute goes on as before -> patch, or None where a property cannot
    take its place."""
    if kind is None or any(isinstance(n, ast.FunctionDef) and n.name == name for n in kind.body):
        return None
    if any("slots" in m.text(d) for d in kind.decorator_list) or any(isinstance(n, ast.Name) and n.id == "__slots__" for n in ast.walk(kind)):
        return None
    if any(isinstance(n, ast.Attribute) and n.attr == name and not isinstance(n.ctx, ast.Load) and m.parent[n] is not node for n in m.parent):
        return None
    f = m.scope(node)
    if not isinstance(f, ast.FunctionDef) or stored is None and len(f.body) < 2 or node.lineno != node.end_lineno:
        return None
    at = f.end_lineno if m.owner(node) is kind else kind.end_lineno
    inner = m.indent(kind.body[-1].lineno)
    patch = m.change(node.lineno, m.indent(node.lineno) + stored) if stored else [(node.lineno, "-", m.line(node.lineno))]
    return patch + [(at + 1, "+", f"{inner}{words}") for words in ("@property", f"def {name}(self):", f"    return {read}")]


def unbound(m, kind, node, target, method):
    """`self.name = self.method` without the circle -> (what to do, patch)."""
    patch = through_property(m, kind, node, target.attr, None, f"self.{method.attr}")
    if patch:
        return "make it a property: the method is bound when it is asked for", patch
    new = f"{m.indent(node.lineno)}{m.text(target)} = weakref.WeakMethod({m.text(method)})"
    return f"hold the method weakly; it is called as {m.text(target)}()()", m.change(node.lineno, new)


def weakly(m, kind, node, target, value, whose="the child refer weakly to its parent"):
    """`target = value` made weak -> (what to do, patch)."""
    name = target.attr.lstrip("_")
    base = m.text(target.value)
    stored = f"{base}._{name} = weakref.ref({value}) if {value} is not None else None" if value != "self" else f"{base}._{name} = weakref.ref(self)"
    patch = through_property(m, kind, node, target.attr, stored, f"self._{name} and self._{name}()") if target.attr == name else None
    if patch:
        return f"let {whose}", patch
    return f"let {whose}; whoever reads it asks ._{name}()", m.change(node.lineno, m.indent(node.lineno) + stored)


def called(node):
    """The name of what a call calls: 'sum', 'load' of json.load(...); '' else."""
    f = node.func if isinstance(node, ast.Call) else None
    return f.id if isinstance(f, ast.Name) else f.attr if isinstance(f, ast.Attribute) else ""


def same(a, b):
    """Whether two expressions are the same text, be they read or written."""
    return type(a) is type(b) and _bare(a) == _bare(b)


def _bare(node):
    words = ast.dump(node, include_attributes=False)
    for context in (", ctx=Load()", ", ctx=Store()", ", ctx=Del()"):  # from 3.15 on Load() is left out
        words = words.replace(context, "")
    return words


class Reader:
    """The source of one recording's hot lines."""

    def __init__(self, sources):
        self.sources = sources
        self.file = ""  # the one that is looked at
        self._modules = {}

    def module(self, file):
        if file not in self._modules:
            try:
                lines = self.sources.lines(file)
                changed = self.sources.changed(file)
                self._modules[file] = Module(lines) if lines and not changed else None
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._modules[file] = None
        return self._modules[file]

    def imports(self, file, line):
        m = self.module(file)
        return m is not None and m.imports(line)

    def confirm(self, rule, file, line, facts):
        """The Pattern of a rule if the line shows it."""
        m = self.module(file)
        look = getattr(self, "_" + rule.lower(), None)
        if m is None or look is None or line < 1:
            return None
        self.file = file
        try:
            return look(m, line, facts)
        except (RecursionError, AttributeError, IndexError, ValueError):
            return None

    # -- N3: a value that grows by copying

    def _n3(self, m, line, facts):
        for node in m.at(line, ast.AugAssign, ast.Assign):
            loop = m.up(node, ast.For, ast.AsyncFor, ast.While)
            target, added = self._grown(m, node)
            if target is None or loop is None and not self._outlives(m, node, target):
                continue
            name = m.text(target)
            mark = (node.lineno, target.col_offset, target.end_col_offset) if target.lineno == target.end_lineno else None
            kind = self._kind(m, target, node, added)
            if kind == "array":
                return Pattern(
                    "an array grown piece by piece",
                    f"copies all of {name}, again and again",
                    "collect the parts in a list, join them once",
                    self._array_patch(m, node, target, added, loop),
                    mark,
                )
            if "through" in facts:
                continue  # not this line's bytes, but those of a function that it calls
            if kind == "list" and isinstance(node, ast.AugAssign):
                continue  # extends in place
            if kind == "value":
                continue  # a number, as far as the source tells
            if kind in ("string", "bytes"):
                patch = self._join_patch(m, node, target, added, loop, '""' if kind == "string" else 'b""')
            elif kind == "list":
                patch = m.change(node.lineno, f"{m.indent(node.lineno)}{name}.extend({m.text(added)})")
            else:
                patch = ()
            return Pattern(
                f"a {kind} built piece by piece",
                f"copies all of {name}, again and again",
                {"list": "extend it in place", "tuple": "collect in a list, make the tuple once"}.get(
                    kind, "collect the parts and join once"
                ),
                patch,
                mark,
            )
        return None

    def _outlives(self, m, node, target):
        """Whether a function adds to what is there from call to call: an attribute, an entry, a global name."""
        scope = m.scope(node)
        if scope is m.tree or getattr(scope, "name", "") == "__init__":
            return False
        if isinstance(target, ast.Name):
            return any(isinstance(n, (ast.Global, ast.Nonlocal)) and target.id in n.names for n in ast.walk(scope))
        return isinstance(target, (ast.Attribute, ast.Subscript))

    def _grown(self, m, node):
        """(target, what is added) of x += y, x = x + y, x = np.append(x, y)."""
        if isinstance(node, ast.AugAssign):
            return (node.target, node.value) if isinstance(node.op, ast.Add) else (None, None)
        if len(node.targets) != 1:
            return None, None
        target, value = node.targets[0], node.value
        while isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
            if same(value.left, target):
                return target, value.right
            if same(value.right, target):
                return target, value.left
            value = value.left
        if isinstance(node.value, ast.JoinedStr) and node.value.values:
            first = node.value.values[0]
            if isinstance(first, ast.FormattedValue) and same(first.value, target):
                return target, node.value
        if isinstance(node.value, ast.Call) and called(node.value) in GROWERS:
            inside = [n for a in node.value.args for n in ast.walk(a)]
            if any(isinstance(n, ast.expr) and same(n, target) for n in inside):
                others = [
                    n
                    for a in node.value.args
                    for n in (a.elts if isinstance(a, (ast.List, ast.Tuple)) else [a])
                    if not same(n, target)
                ]
                return target, others[0] if others else node.value
        return None, None

    def _kind(self, m, target, node, added):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            return "array"
        first = self._first_value(m, target, node)
        for value in (first, added):
            if isinstance(value, ast.Constant) and isinstance(value.value, (int, float)) or isinstance(value, ast.Call) and called(value) in NUMBERS:
                return "value"
            if isinstance(value, ast.JoinedStr):
                return "string"
            if isinstance(value, ast.Constant) and isinstance(value.value, (str, bytes)):
                return "string" if isinstance(value.value, str) else "bytes"
            if isinstance(value, (ast.List, ast.ListComp)):
                return "list"
            if isinstance(value, ast.Tuple):
                return "tuple"
            if isinstance(value, ast.Call) and called(value) in ("str", "join", "format"):
                return "string"
            if isinstance(value, ast.Call) and called(value) in ("zeros", "array", "empty", "DataFrame", "Series"):
                return "array"
            if isinstance(value, ast.BinOp):
                for part in ast.walk(value):
                    if isinstance(part, ast.Constant) and isinstance(part.value, (str, bytes)):
                        return "string" if isinstance(part.value, str) else "bytes"
        for n in ast.walk(m.scope(node)):  # what else is added to it, and what is asked of it
            if isinstance(n, ast.AugAssign) and same(n.target, target):
                for part in ast.walk(n.value):
                    if isinstance(part, ast.Constant) and isinstance(part.value, (str, bytes)):
                        return "string" if isinstance(part.value, str) else "bytes"
            if isinstance(n, ast.Attribute) and isinstance(n.value, (ast.Name, ast.Attribute)) and same(n.value, target):
                if n.attr == "decode":
                    return "bytes"
                if n.attr in ("encode", "format", "splitlines", "casefold", "lower", "upper"):
                    return "string"
        return "value"

    def _first_value(self, m, target, node):
        """What the target is set to before the loop (anywhere else in its function or class)."""
        where = m.owner(node) if isinstance(target, ast.Attribute) else None
        for n in ast.walk(where or m.scope(node)):
            if n is not node and isinstance(n, ast.Assign) and any(same(t, target) for t in n.targets):
                return n.value
        return None

    def _join_patch(self, m, node, target, added, loop, empty):
        init = None
        for n in ast.walk(m.scope(node)) if loop is not None else ():
            if isinstance(n, ast.Assign) and n is not node and len(n.targets) == 1 and same(n.targets[0], target):
                init = n
        name = m.text(target)
        if init is None or init.lineno >= loop.lineno or not isinstance(init.value, ast.Constant) or init.value.value:
            return ()
        text = m.text(added)
        if isinstance(node, ast.Assign) and not isinstance(node.value, (ast.JoinedStr, ast.Call)):
            parts, value = [], node.value  # x = x + a + b: all that is added
            while isinstance(value, ast.BinOp) and not same(value, target):
                parts.append(m.text(value.right))
                value = value.left
            text = " + ".join(reversed(parts)) if same(value, target) else text
        if isinstance(node.value, ast.JoinedStr) and isinstance(node, ast.Assign):
            return ()
        head = m.indent(init.lineno)
        if isinstance(loop, ast.For) and len(loop.body) == 1 and loop.body[0] is node and not loop.orelse:
            joined = f"{head}{name} = {empty}.join({text} for {m.text(loop.target)} in {m.text(loop.iter)})"
            return [
                (init.lineno, "-", m.line(init.lineno)),
                (loop.lineno, "-", m.line(loop.lineno)),
                (node.lineno, "-", m.line(node.lineno)),
                (init.lineno, "+", joined),
            ]
        parts = "parts"
        end = loop.end_lineno or loop.lineno
        return [
            (init.lineno, "-", m.line(init.lineno)),
            (init.lineno, "+", f"{head}{parts} = []"),
            (node.lineno, "-", m.line(node.lineno)),
            (node.lineno, "+", f"{m.indent(node.lineno)}{parts}.append({text})"),
            (end + 1, "+", f"{m.indent(loop.lineno)}{name} = {empty}.join({parts})"),
        ]

    def _array_patch(self, m, node, target, added, loop):
        """The parts in a list, from what was there before the loop on, and joined by the same call behind it; () where the loop looks at
        what has grown so far, or the call does not put the new part behind it."""
        call = node.value
        own = set(ast.walk(node))
        if loop is None or not call.args or any(isinstance(n, ast.expr) and same(n, target) and n not in own for n in ast.walk(loop)):
            return ()
        if sum(isinstance(n, ast.expr) and same(n, target) for n in own) != 2:
            return ()   # the target, and the first argument
        func, rest = m.text(call.func), "".join(f", {m.text(n)}" for n in [*call.args[1:], *call.keywords])
        if called(call) == "append" and len(call.args) == 2 and not call.keywords and same(call.args[0], target) and isinstance(call.func, ast.Attribute):
            module = m.text(call.func.value)
            new = f"{module}.concatenate([{module}.ravel(part) for part in parts])"
        elif called(call) in JOINERS and isinstance(call.args[0], (ast.List, ast.Tuple)) and len(call.args[0].elts) == 2 and same(call.args[0].elts[0], target):
            new = f"{func}(parts{rest})"
        else:
            return ()
        return [
            (loop.lineno, "+", f"{m.indent(loop.lineno)}parts = [{m.text(target)}]"),
            (node.lineno, "-", m.line(node.lineno)),
            (node.lineno, "+", f"{m.indent(node.lineno)}parts.append({m.text(added)})"),
            ((loop.end_lineno or loop.lineno) + 1, "+", f"{m.indent(loop.lineno)}{m.text(target)} = {new}"),
        ]

    # -- N2: a list that is consumed once

    def _n2(self, m, line, facts):
        for node in m.at(line, ast.ListComp, ast.Call):
            if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id == "list" and len(node.args) == 1):
                continue
            if isinstance(node, ast.Call) and isinstance(node.args[0], (ast.Constant, ast.Name, ast.Attribute)):
                continue  # a copy of what is there
            found = self._consumer(m, node)
            if found is None:
                stmt = m.parent.get(node)
                if isinstance(stmt, ast.Assign) and stmt.value is node and len(stmt.targets) == 1 and isinstance(stmt.targets[0], ast.Name):
                    return self._named_once(m, node, stmt)
                continue
            if self._changed(m, node, m.parent.get(node)):
                continue
            if isinstance(node, ast.ListComp):
                inner = m.text(node)[1:-1].strip()
                new = f"({inner})" if found == "loop" or found == "more" else inner
            else:
                new = m.text(node.args[0])
            if found == "len":
                call = m.parent[node]
                inner = m.text(node)[1:-1].strip() if isinstance(node, ast.ListComp) else ""
                tail = inner[inner.index(" for ") :] if " for " in inner else ""
                patch = m.change(call.lineno, m.replaced(call, f"sum(1{tail})") if tail else None)
            else:
                patch = m.change(node.lineno, m.replaced(node, new))
            who = "the loop" if found == "loop" else "it"
            mark = (node.lineno, node.col_offset, node.end_col_offset) if node.lineno == node.end_lineno else None
            return Pattern(
                "a list made to be read once",
                f"a whole list, and {who} takes one element at a time",
                "let the elements come one by one: a generator",
                patch,
                mark,
            )
        return None

    def _consumer(self, m, node):
        """What takes the elements of an expression one at a time: 'call', 'more' (with other
        arguments), 'len', 'loop' or None."""
        above = m.parent.get(node)
        if isinstance(above, ast.Call) and node in above.args and isinstance(above.func, ast.Name):
            if above.func.id in CONSUMERS:
                return "call" if len(above.args) == 1 and not above.keywords else "more"
            if above.func.id == "len":
                return "len"
            if above.func.id in ("enumerate", "zip", "map", "filter") and self._consumer(m, above) == "loop":
                return "loop"
        if isinstance(above, (ast.For, ast.AsyncFor, ast.comprehension)) and above.iter is node:
            return "loop"
        return None

    @staticmethod
    def _changed(m, node, loop):
        """Whether a loop over a list changes what the list was made from: only a list of its own lets it."""
        if not isinstance(loop, (ast.For, ast.AsyncFor)):
            return False
        sources = [g.iter for g in node.generators] if isinstance(node, ast.ListComp) else node.args
        functions = {n.func for source in sources for n in ast.walk(source) if isinstance(n, ast.Call)}
        sources = {m.text(n) for source in sources for n in ast.walk(source) if isinstance(n, (ast.Name, ast.Attribute)) and n not in functions}
        owners = {name.rpartition(".")[0] for name in sources} - {""}
        for statement in loop.body:
            for n in ast.walk(statement):
                if isinstance(n, ast.Subscript) and not isinstance(n.ctx, ast.Load) and m.text(n.value) in sources:
                    return True
                if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute):
                    of = m.text(n.func.value)  # self.kill(k) may change self.entries
                    if of in owners or of in sources and n.func.attr in CHANGERS:
                        return True
        return False

    def _named_once(self, m, node, stmt):
        """`rows = [...]` whose only use is to be gone through, once."""
        name = stmt.targets[0].id
        scope = m.scope(stmt)
        if scope is m.tree:
            uses = [n for n in ast.walk(m.tree) if isinstance(n, ast.Name) and n.id == name]
        else:
            uses = [n for n in ast.walk(scope) if isinstance(n, ast.Name) and n.id == name]
        loads = [n for n in uses if isinstance(n.ctx, ast.Load)]
        if len(loads) != 1 or len(uses) != 2 or m.scope(loads[0]) is not scope:
            return None
        found = self._consumer(m, loads[0])
        if found is None or found == "len":
            return None
        head = m.up(loads[0], ast.For, ast.AsyncFor, ast.While)
        use = m.parent.get(loads[0])
        if head is not None and head is not use and head is not m.up(stmt, ast.For, ast.AsyncFor, ast.While):
            return None  # gone through more than once
        if self._changed(m, node, use):
            return None
        if isinstance(node, ast.ListComp):
            new = m.replaced(node, f"({m.text(node)[1:-1].strip()})")
        else:
            new = m.replaced(node, m.text(node.args[0]))
        mark = (node.lineno, node.col_offset, node.end_col_offset) if node.lineno == node.end_lineno else None
        return Pattern(
            "a list made to be read once",
            f"a whole list; line {loads[0].lineno} goes through it once",
            "let the elements come one by one: a generator",
            m.change(node.lineno, new),
            mark,
        )

    # -- N1: read whole

    def _n1(self, m, line, facts):
        for node in m.at(line, ast.Call):
            name = called(node)
            whole = name in WHOLE and isinstance(node.func, ast.Attribute) and not node.args
            parsed = name in ("load", "loads", "json") and isinstance(node.func, ast.Attribute)
            listed = name == "list" and node.args and isinstance(node.args[0], ast.Call) and called(node.args[0]) in ("reader", "DictReader")
            if not (whole or parsed or listed):
                continue
            use = self._single_use(m, node)
            if use is None:
                continue
            patch, fix = (), ""
            source = m.text(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            if name == "readlines":
                patch = m.change(node.lineno, m.replaced(node, source)) if use == "loop" else ()
                fix = "iterate over the file: it gives a line at a time"
                if use == "part":
                    fix = f"keep what is wanted as it comes: itertools.islice({source}, n), or collections.deque({source}, maxlen=n) for the end"
            elif name == "fetchall":
                patch = m.change(node.lineno, m.replaced(node, source)) if use == "loop" else ()
                fix = "iterate over the cursor: it gives a row at a time"
            elif listed:
                patch = m.change(node.lineno, m.replaced(node, m.text(node.args[0])))
                fix = "iterate over the reader: it gives a row at a time"
            elif parsed:
                file = m.text(node.args[0]) if node.args else "f"
                new = m.replaced(node, f'ijson.items({file}, "item")') if name == "load" and use == "loop" else None
                patch = m.change(node.lineno, new) if new and m.text(node.func.value) == "json" else ()
                fix = "parse item by item (pip install ijson)"
            else:
                above = m.parent.get(m.parent.get(node))
                if isinstance(above, ast.Call) and called(above) in ("split", "splitlines") and self._single_use(m, above) == "loop":
                    patch = m.change(node.lineno, m.replaced(above, source)) if name == "read" else ()
                    fix = "iterate over the file: it gives a line at a time"
                else:
                    fix = f"read it in pieces: for part in iter(lambda: {source}.read(1 << 20), b\"\")"
            mark = (node.lineno, node.col_offset, node.end_col_offset) if node.lineno == node.end_lineno else None
            return Pattern("a file or answer read whole", "all of it in memory at once, and gone through once", fix, patch, mark)
        return None

    def _single_use(self, m, node):
        """How the value of an expression is used if that is once, from start to end: 'loop',
        'call'; None else."""
        found = self._consumer(m, node)
        if found in ("loop", "call", "more"):
            return "loop" if found == "loop" else "call"
        above = m.parent.get(node)
        if isinstance(above, ast.Attribute) and isinstance(m.parent.get(above), ast.Call) and above.attr in ("split", "splitlines"):
            return self._single_use(m, m.parent[above])
        if isinstance(above, ast.Subscript) and above.value is node and isinstance(above.slice, ast.Slice):
            return "part"
        if isinstance(above, ast.Call) and node in above.args and called(above) in ("update", "write", "loads", "sha256", "md5", "sha1", "len"):
            return "call"
        if isinstance(above, ast.Assign) and above.value is node and len(above.targets) == 1 and isinstance(above.targets[0], ast.Name):
            name, scope = above.targets[0].id, m.scope(above)
            uses = [n for n in ast.walk(scope) if isinstance(n, ast.Name) and n.id == name]
            loads = [n for n in uses if isinstance(n.ctx, ast.Load)]
            if len(loads) == 1 and len(uses) == 2 and self._consumer(m, loads[0]) in ("loop", "call"):
                return "once"
            if len(loads) == 1 and len(uses) == 2:
                return "once" if self._single_use(m, loads[0]) else None
        return None

    # -- N8: what a line does that allocates and drops by right

    def in_pieces(self, file, line):
        """Whether a line reads a piece at a time, or adds to what grows in place: as much allocated, and as little held, as can be."""
        m = self.module(file)
        return m is not None and any(called(n) in PIECES and (n.args or called(n) not in WHOLE) for n in m.at(line, ast.Call))

    # -- N6: what tee() keeps, where no picture shows it

    def _n6(self, m, line, facts):
        scopes = {m.scope(node) for node in m.at(line, ast.expr, ast.stmt)}
        for scope in scopes:
            for made in ast.walk(scope):
                if not (isinstance(made, ast.Assign) and isinstance(made.value, ast.Call) and called(made.value) == "tee"):
                    continue
                names = {n.id for target in made.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
                if made.value in m.at(line, ast.Call) or any(n.id in names for node in m.at(line, ast.Call, ast.For, ast.ListComp, ast.GeneratorExp) for n in ast.walk(getattr(node, "iter", node)) if isinstance(n, ast.Name)):
                    mark = (made.lineno, made.value.col_offset, made.value.end_col_offset) if made.lineno == made.value.end_lineno else None
                    return Pattern(
                        "tee() keeps all that one of its iterators is ahead",
                        "one of them is read to its end first",
                        "make a list, or go through both in step",
                        (),
                        mark,
                    )
        return None

    # -- N4, N5

    def _n4(self, m, line, facts):
        for node in m.at(line, ast.BinOp):
            ops, plain = self._operations(node)
            if ops >= 2 and plain and not isinstance(m.parent.get(node), (ast.BinOp, ast.FormattedValue)):
                return Pattern(
                    "temporaries of an array expression",
                    f"{ops} operations, each with a result of full size",
                    "give the operations a place to write to: np.add(a, b, out=a)",
                    (),
                    (node.lineno, node.col_offset, node.end_col_offset) if node.lineno == node.end_lineno else None,
                )
        return None

    def _operations(self, node):
        """(how many operations follow each other in an expression, whether all may be on arrays): not those in what it calls, lists or
        formats, nor those of constants; texts, lists and what bytes() makes are no arrays."""
        if isinstance(node, ast.BinOp):
            left, right = self._operations(node.left), self._operations(node.right)
            constant = all(isinstance(n, (ast.BinOp, ast.operator, ast.UnaryOp, ast.unaryop, ast.Constant)) for n in ast.walk(node))
            return left[0] + right[0] + (not constant), left[1] and right[1]
        if isinstance(node, ast.UnaryOp):
            return self._operations(node.operand)
        text = isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
        made = isinstance(node, ast.Call) and called(node) in ("bytes", "bytearray", "str", "list", "tuple", "join")
        return 0, not (text or made or isinstance(node, (ast.JoinedStr, ast.List, ast.Tuple, ast.ListComp)))

    def _n5(self, m, line, facts):
        for node in m.at(line, ast.Call):
            name = called(node)
            if name in BOXES and isinstance(node.func, ast.Attribute):
                receiver = node.func.value
                by_group = isinstance(receiver, ast.Call) and called(receiver) == "groupby"  # a call for each group
                if by_group or name not in BY_ROW and facts.get("each", 0) > BOX:
                    continue
                return Pattern(
                    "columns turned into Python objects",
                    "makes an object for each value",
                    BOXES[name],
                    (),
                    (node.lineno, node.col_offset, node.end_col_offset) if node.lineno == node.end_lineno else None,
                )
        return None

    # -- P2, P3, P4

    def _p2(self, m, line, facts):
        from . import gains

        for node in m.at(line, ast.Call):
            name = called(node)
            if name not in BUFFERS or (m.scope(node) is m.tree and m.up(node, ast.For, ast.While) is None):
                continue
            stmt, loop = m.statement(node), m.up(node, ast.For, ast.While, ast.AsyncFor)
            patch = ()
            if isinstance(stmt, ast.Assign) and stmt.value is node and loop is not None and self._invariant(m, node, loop) and self._written_first(m, stmt, loop):
                patch = [
                    (loop.lineno, "+", f"{m.indent(loop.lineno)}{m.text(stmt)}"),
                    (stmt.lineno, "-", m.line(stmt.lineno)),
                ]
            mark = (node.lineno, node.col_offset, node.end_col_offset) if node.lineno == node.end_lineno else None
            fix, lent = "make the buffer once, and use it again", ()
            if not patch:
                lent = self._from_pool(m, node, stmt, loop)
                fix = "take it from memsure.buffers, which gives out again what nobody uses" if lent else f"{fix}; what a part of it held before is still there then"
            found = Pattern("a buffer made anew each time", "the same size each time, and dropped at once", fix, patch, mark)
            found.patch = found.patch or lent
            found.gain = gains.of_buffer(name, mark, bool(lent))
            return found
        return None

    def _from_pool(self, m, node, stmt, loop):
        """The lines that put what follows `x = bytearray(SIZE)` in a loop below `with buffers.bytes(SIZE, zero=True) as x:`, from the
        size on where that pays; [] where the text does not allow it."""
        from . import gains

        if loop is None or called(node) != "bytearray" or len(node.args) != 1 or node.keywords or stmt not in loop.body:
            return []
        if not (isinstance(stmt, ast.Assign) and stmt.value is node and len(stmt.targets) == 1 and isinstance(stmt.targets[0], ast.Name)):
            return []
        rest = loop.body[loop.body.index(stmt) + 1 :]
        if not rest or stmt.lineno != stmt.end_lineno or rest[0].lineno == stmt.lineno or (self._size(m, node.args[0]) or 0) < POOLED_FROM:
            return []
        if any(isinstance(n, (ast.Constant, ast.JoinedStr)) and n.lineno != n.end_lineno for s in rest for n in ast.walk(s)):
            return []  # a text over several lines
        last = max(s.end_lineno for s in rest)
        bound = {n.id for n in ast.walk(m.tree) if isinstance(n, ast.Name)} | {(a.asname or a.name) for n in ast.walk(m.tree) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
        if last - stmt.lineno > MOST_MOVED or "buffers" in bound:
            return []
        indent = m.indent(stmt.lineno)
        out = [(gains.import_line(m), "+", "from memsure import buffers"), (stmt.lineno, "-", m.line(stmt.lineno))]
        out.append((stmt.lineno, "+", f"{indent}with buffers.bytes({m.text(node.args[0])}, zero=True) as {stmt.targets[0].id}:"))
        for number in range(stmt.lineno + 1, last + 1):
            if m.line(number):
                out += [(number, "-", m.line(number)), (number, "+", "    " + m.line(number))]
        return out

    def _size(self, m, node, depth=0):
        """An integer that the text tells, or None."""
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return node.value
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.LShift, ast.Mult, ast.Add)):
            a, b = self._size(m, node.left, depth), self._size(m, node.right, depth)
            if a is None or b is None or isinstance(node.op, ast.LShift) and b > 40:
                return None
            return a << b if isinstance(node.op, ast.LShift) else a * b if isinstance(node.op, ast.Mult) else a + b
        if isinstance(node, ast.Name) and depth == 0:
            stored = [n for n in ast.walk(m.tree) if isinstance(n, (ast.Name, ast.arg)) and (n.arg if isinstance(n, ast.arg) else n.id) == node.id
                      and (isinstance(n, ast.arg) or not isinstance(n.ctx, ast.Load))]
            above = m.parent.get(stored[0]) if len(stored) == 1 else None
            return self._size(m, above.value, 1) if isinstance(above, ast.Assign) and above.targets == stored else None
        return None

    def _written_first(self, m, stmt, loop):
        """Whether a buffer's next use in its loop writes it, and no use may keep it for the next round."""
        if len(stmt.targets) != 1 or not isinstance(stmt.targets[0], ast.Name) or stmt.lineno != stmt.end_lineno or stmt not in loop.body:
            return False
        if loop.lineno == stmt.lineno or not isinstance(m.parent.get(loop), (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.For, ast.While, ast.If, ast.With)):
            return False
        name = stmt.targets[0].id
        uses = [n for n in ast.walk(m.scope(stmt)) if isinstance(n, ast.Name) and n.id == name and n is not stmt.targets[0]]
        uses.sort(key=lambda n: (n.lineno, n.col_offset))
        for i, n in enumerate(uses):
            above = m.parent.get(n)
            writes = isinstance(above, ast.Call) and n in above.args and called(above) in FILLERS
            writes = writes or isinstance(above, ast.keyword) and above.arg == "out"
            lent = isinstance(above, ast.Call) and n in above.args and called(above) in BORROWERS
            lent = lent or isinstance(above, ast.Subscript) and above.value is n and (called(stmt.value) == "bytearray" or not isinstance(above.slice, (ast.Slice, ast.Tuple)))
            if not isinstance(n.ctx, ast.Load) or n.lineno < stmt.lineno or not (writes or i > 0 and lent) or m.scope(n) is not m.scope(stmt):
                return False
            if i == 0 and m.up(n, ast.If, ast.For, ast.While, ast.Try) is not loop:
                return False  # not in each round
        return bool(uses)

    def _invariant(self, m, node, loop):
        bound = {n.id for n in ast.walk(loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        return not any(isinstance(n, ast.Name) and n.id in bound for n in ast.walk(node))

    def _p3(self, m, line, facts):
        from . import gains

        for node in m.at(line, ast.Call):
            home, kind, file = self._made(m, node)
            if kind is None:
                continue
            try:
                gain, patch = gains.of_class(home, kind, node)
            except gains.Silent:
                continue
            found = Pattern(
                f"{kind.name} objects made and dropped by the million",
                f"a new {kind.name} each time, dead at once",
                "take them from a pool",
                patch,
                (node.lineno, node.col_offset, node.end_col_offset) if node.lineno == node.end_lineno else None,
                f"at class {kind.name}: ",
                file,
            )
            found.gain = gain
            return found
        return None

    def _made(self, m, call):
        """(module, class, file or None: this one) that a call makes an instance of; (m, None, None) where the text does not tell."""
        f = call.func
        if isinstance(f, ast.Name) and f.id == "cls" or m.text(f) in ("type(self)", "self.__class__"):
            return m, m.owner(call), None
        name = f.id if isinstance(f, ast.Name) else f.attr if isinstance(f, ast.Attribute) else ""
        found = [n for n in ast.walk(m.tree) if isinstance(n, ast.ClassDef) and n.name == name]
        if found:
            return m, found[0] if len(found) == 1 else None, None
        for n in ast.walk(m.tree):
            for alias in n.names if isinstance(n, (ast.Import, ast.ImportFrom)) else ():
                bound = alias.asname or alias.name
                if isinstance(f, ast.Name) and isinstance(n, ast.ImportFrom) and bound == f.id:
                    ways = [((n.module or "").split("."), n.level, alias.name)]
                elif isinstance(f, ast.Attribute) and m.text(f.value) == bound:
                    path = alias.name.split(".") if isinstance(n, ast.Import) else [*(n.module or "").split("."), alias.name]
                    ways = [(path, getattr(n, "level", 0), f.attr)]
                else:
                    continue
                for path, level, name in ways:
                    file, other = self._imported([part for part in path if part], level)
                    found = [k for k in other.tree.body if isinstance(k, ast.ClassDef) and k.name == name] if other is not None else []
                    if len(found) == 1:
                        return other, found[0], file
        return m, None, None

    def _imported(self, path, level):
        """The program's own module that an import in self.file names -> (file, Module) or (None, None)."""
        folder = self.file.rpartition("/")[0]
        for _ in range(max(level - 1, 0)):
            folder = folder.rpartition("/")[0]
        for _ in range(1 if level else 8):
            for end in (".py", "/__init__.py"):
                file = "/".join([*([folder] if folder or self.file.startswith("/") else []), *path]) + end
                if self.sources.kind(file) == "own" and self.module(file) is not None:
                    return file, self.module(file)
            if not folder:
                break
            folder = folder.rpartition("/")[0]
        return None, None

    def _p4(self, m, line, facts):
        here = m.at(line, ast.Call)
        calls = [*here]
        calls += [made for made in (self._made_for(m, node) for node in calls) if made is not None and made not in calls]
        for node in calls:
            name = called(node)
            if name in CLASS_MAKERS and m.scope(node) is not m.tree and not self._kept(m, node):
                found = self._class_made(m, node)
                found.rule = "C6"
                return found
            if name == "deepcopy" and self._constant_arguments(m, node, m.scope(node)) and m.scope(node) is not m.tree:
                return Pattern(
                    "the same deep copy made anew each time",
                    "most of it is the same each time",
                    "copy what changes, share the rest: {**all, 'part': dict(all['part'])}; or keep it unchangeable and copy nothing",
                    (),
                    (node.lineno, node.col_offset, node.end_col_offset) if node.lineno == node.end_lineno else None,
                )
            made_by = self._builder(m, node)
            if not (name in FACTORIES or name[:1].isupper() or made_by) or name in ONCE:
                continue
            above = m.parent.get(node)
            if isinstance(above, (ast.Call, ast.keyword, ast.Starred, ast.Return, ast.Yield, ast.Raise)):
                continue  # an argument of something else, or the function's result
            scope = m.scope(node)
            loop = m.up(node, ast.For, ast.AsyncFor, ast.While)
            if scope is m.tree:
                continue  # a script's own loop does what it is there for
            guard = m.up(node, ast.If)
            if guard is not None and isinstance(guard.test, (ast.Compare, ast.UnaryOp)) and ("None" in m.text(guard.test) or " in " in m.text(guard.test)):
                continue  # made when it is first needed
            cached = getattr(scope, "decorator_list", ())
            if any("cache" in m.text(d) for d in cached):
                continue
            if not self._constant_arguments(m, node, scope):
                continue
            made = m.text(node)
            holder = "_" + name.upper() if name.isidentifier() else "_MADE_ONCE"
            if holder == "_" + name:
                holder = "_MADE_ONCE"
            stmt = m.statement(node)
            patch = ()
            if made_by:  # by a function of the module: that one can remember it
                patch = [(made_by.lineno, "+", f"{m.indent(made_by.lineno)}@functools.cache")]
                name = called(self._built(m, made_by))
            elif node.lineno == node.end_lineno and scope is not m.tree:
                top = scope
                while m.parent.get(top) is not m.tree and top in m.parent:
                    top = m.parent[top]
                patch = [(top.lineno, "+", f"{holder} = {made}"), *m.change(stmt.lineno if stmt.lineno == node.lineno else node.lineno, m.replaced(node, holder))]
            filled = not made_by and self._filled(m, stmt, scope)
            found = Pattern(
                f"{'an' if name[0] in 'AEIOU' else 'a'} {name} made anew each time",
                "the same arguments each time",
                "make it once, at module level" + (", with all that is added to it" if filled else ""),
                () if filled else patch,
                (node.lineno, node.col_offset, node.end_col_offset) if node.lineno == node.end_lineno else None,
            )
            found.made = node not in here and name[:1].isupper()
            return found
        f = next(iter(m.at(line, ast.FunctionDef)), None)  # the line builds a part of it
        if f is not None and f in m.tree.body and not any(ast.iter_child_nodes(f.args)) and self._plain(f) and (call := self._built(m, f)) is not None:
            name = called(call)
            return Pattern(
                f"{'an' if name[0] in 'AEIOU' else 'a'} {name} made anew each time",
                f"{f.name}() builds the same each time",
                "make it once, at module level",
                [(f.lineno, "+", f"{m.indent(f.lineno)}@functools.cache")],
                (call.lineno, call.col_offset, call.end_col_offset) if call.lineno == call.end_lineno else None,
            )
        return None

    def _filled(self, m, stmt, scope):
        """Whether what a statement makes is added to afterwards: made once, it would be at each call."""
        names = {t.id for t in getattr(stmt, "targets", ()) if isinstance(t, ast.Name)}
        for n in ast.walk(scope):
            if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id in names:
                if not isinstance(n.ctx, ast.Load) or n.attr in CHANGERS or n.attr.startswith(("add", "set", "register", "feed")):
                    return True
        return False

    def _plain(self, f):
        """Whether a function remembers nothing: no decorator does it for it, and it sets no global."""
        return not f.decorator_list and not any(isinstance(n, (ast.Global, ast.Yield, ast.YieldFrom)) for n in ast.walk(f))

    def _builder(self, m, node):
        """The function of this module that a call without arguments calls, if all that it does is to build one thing and return it."""
        if not isinstance(node.func, ast.Name) or node.args or node.keywords:
            return None
        for f in m.tree.body:
            if isinstance(f, ast.FunctionDef) and f.name == node.func.id:
                return f if self._plain(f) and self._built(m, f) is not None else None
        return None

    def _built(self, m, f):
        """The call of a factory, with the same arguments each time, whose result a function returns; None: it returns something else."""
        last = f.body[-1]
        value = last.value if isinstance(last, ast.Return) else None
        if isinstance(value, ast.Name):
            made = [n.value for n in f.body if isinstance(n, ast.Assign) and any(same(t, value) for t in n.targets)]
            value = made[0] if len(made) == 1 else None
        if isinstance(value, ast.Call) and called(value) in FACTORIES and self._constant_arguments(m, value, f):
            return value
        return None

    def _made_for(self, m, node):
        """The call that made the object whose method this one is, x = Maker(...); x.method(...), where the variable is bound once and
        serves its methods only, and made for this call, not before a loop of such; None else. What the method needs is then made anew with it."""
        root = node.func
        while isinstance(root, (ast.Attribute, ast.Call, ast.Subscript)):
            root = root.func if isinstance(root, ast.Call) else root.value
        scope = m.scope(node)
        if not isinstance(root, ast.Name) or root is node.func or scope is m.tree:
            return None
        uses = [n for n in ast.walk(scope) if isinstance(n, ast.Name) and n.id == root.id]
        bound = [n for n in uses if not isinstance(n.ctx, ast.Load)]
        above = m.parent.get(bound[0]) if len(bound) == 1 else None
        if not isinstance(above, ast.Assign) or not isinstance(above.value, ast.Call) or any(a.arg == root.id for a in ast.walk(scope) if isinstance(a, ast.arg)):
            return None
        loop = m.up(node, ast.For, ast.AsyncFor, ast.While)
        if loop is not None and m.scope(loop) is scope and all(n is not above for n in ast.walk(loop)):
            return None  # made once, before the loop that works with it
        return above.value if all(n in bound or isinstance(m.parent.get(n), (ast.Attribute, ast.Subscript)) and m.parent[n].value is n for n in uses) else None

    def _constant_arguments(self, m, node, scope):
        """Whether a call's arguments are the same whenever the function runs: constants and names
        of the module."""
        local = set()
        if scope is m.tree:  # a loop at module level: what it binds
            loop = m.up(node, ast.For, ast.AsyncFor, ast.While)
            local = {n.id for n in ast.walk(loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} if loop is not None else set()
        else:
            a = scope.args
            local = {x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg)))}
            local |= {n.id for n in ast.walk(scope) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        for value in (*node.args, *(k.value for k in node.keywords), node.func):
            for n in ast.walk(value):
                if isinstance(n, (ast.Call, ast.Starred, ast.Await, ast.Lambda)):
                    return False
                if isinstance(n, ast.Name) and n.id in local:
                    return False
        return True

    # -- R3, R4, R11: what a variable still holds

    def _variable(self, m, line, name):
        """(function, uses of the variable) around a line."""
        f = next(iter(m.at(line, ast.FunctionDef, ast.AsyncFunctionDef)), None)
        if f is None:
            return None, []
        return f, [n for n in ast.walk(f) if isinstance(n, ast.Name) and n.id == name]

    def _r3(self, m, line, facts):
        """A worker that waits for its next job, in a loop, while a variable holds the last one."""
        name = facts.get("local", "")
        f, uses = self._variable(m, line, name)
        loop = next((n for n in m.at(line, ast.While, ast.For, ast.AsyncFor)), None)
        if f is None or loop is None or not uses:
            return None
        waits = facts.get("inner") or any(called(n) in WAITS for n in m.at(line, ast.Call)) or isinstance(loop, ast.For) and loop.lineno == line
        stored = [n for n in uses if isinstance(n.ctx, ast.Store) and loop.lineno <= n.lineno <= loop.end_lineno]
        lets_go = any(isinstance(n.ctx, ast.Del) and loop.lineno <= n.lineno <= loop.end_lineno for n in uses)  # it was seen at work
        if not waits or not stored or lets_go:
            return None
        last = max((n.end_lineno for n in uses if loop.lineno <= n.lineno <= loop.end_lineno), default=line)
        end = max(last, max((s.end_lineno for s in loop.body if any(u in ast.walk(s) for u in uses)), default=last))
        return Pattern(
            "a worker keeps its last job",
            f"waits here; {name} still holds the last one",
            "let go of it before waiting",
            [(end + 1, "+", f"{m.indent(loop.body[0].lineno)}del {name}")],
            (line, -1, -1),
        )

    def _r4(self, m, line, facts):
        """A variable whose last use is above the line that runs."""
        name = facts.get("local", "")
        f, uses = self._variable(m, line, name)
        if f is None or not uses or any(a.arg == name for a in (*f.args.args, *f.args.kwonlyargs)):
            return None
        if any(isinstance(n, (ast.Global, ast.Nonlocal)) and name in n.names for n in ast.walk(f)):
            return None
        last = max(n.end_lineno for n in uses)
        stmt = next(iter(m.at(line, ast.stmt)), None)
        if last >= (stmt.lineno if stmt is not None else line):
            return None
        for loop in m.at(line, ast.While, ast.For, ast.AsyncFor):  # a loop comes back to it
            if m.scope(loop) is f and any(loop.lineno <= n.lineno <= (loop.end_lineno or line) for n in uses):
                return None
        for n in uses:  # a nested function may read it later
            if m.scope(n) is not f:
                return None
        end = last
        for n in uses:
            s = m.statement(n)
            if s.end_lineno is not None and s.end_lineno < (stmt.lineno if stmt is not None else line):
                end = max(end, s.end_lineno)
        return Pattern(
            "a large value still in a variable",
            f"reads {name} for the last time; line {line} still holds it",
            f"let go of {name} when it was read last",
            [(end + 1, "+", f"{m.indent(f.body[0].lineno)}del {name}")],
            (last, -1, -1),
        )

    def _r11(self, m, line, facts):
        for n in m.at(line, ast.Subscript):
            if isinstance(n.slice, ast.Slice) or isinstance(n.slice, ast.Tuple) and any(isinstance(x, ast.Slice) for x in n.slice.elts):
                copy = "bytes" if "memoryview" in facts.get("type", "") else None
                new = f"bytes({m.text(n)})" if copy else f"{m.text(n)}.copy()"
                return Pattern("a small view holds a large buffer", "a view: it holds all of what it was cut from", "copy what is needed", m.change(n.lineno, m.replaced(n, new)), (n.lineno, n.col_offset, n.end_col_offset))
        for n in m.at(line, ast.Call):
            if called(n) in ("match", "search", "fullmatch", "finditer"):
                return Pattern("a match holds the text it was found in", "the match holds all of the text", "keep what was found: m[0]", (), (n.lineno, n.col_offset, n.end_col_offset))
        return None

    # -- N7: what a worker unpickles

    def _n7(self, m, line, facts):
        for n in m.at(line, ast.Call):
            if called(n) in ("load", "loads") and "ickle" in m.text(n.func):
                return Pattern("data copied to each worker by pickle", "unpickles what the first process sent", "send what is small; let each worker load the rest once")
        return None

    # -- cycles, by the source of the line whose objects only the collector frees

    def cycle(self, file, line, function):
        """(rule, Pattern) of the loop that the objects born in this line are tied in, as far as the
        source of the line's class or function shows it; (None, None) else."""
        m = self.module(file)
        if m is None or line < 1:
            return None, None
        try:
            for kind in self._classes(m, line):
                found = self._class_cycle(m, kind)
                if found[0]:
                    return found
            return self._function_cycle(m, line)
        except (RecursionError, AttributeError, IndexError, ValueError):
            return None, None

    def _classes(self, m, line):
        """Classes that the line makes an instance of, or whose method it is in."""
        calls = [called(n) for n in m.at(line, ast.Call)]
        named = [n for n in ast.walk(m.tree) if isinstance(n, ast.ClassDef)]
        out = [k for c in calls for k in named if k.name == c]
        for node in m.at(line, ast.stmt):
            owner = m.owner(node)
            if owner is not None and owner not in out:
                out.append(owner)
        return out

    def _class_cycle(self, m, kind):
        likely = None
        for f in kind.body:
            if not isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            parameters = [a.arg for a in (*f.args.posonlyargs, *f.args.args)]
            me = parameters[0] if parameters else "self"
            for n in ast.walk(f):
                if not isinstance(n, ast.Assign) or len(n.targets) != 1 or not isinstance(n.targets[0], ast.Attribute):
                    continue
                target, value = n.targets[0], n.value
                mark = (n.lineno, target.col_offset, target.end_col_offset)
                mine = isinstance(target.value, ast.Name) and target.value.id == me
                # self.on_done = self.finish
                if mine and isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.value.id == me:
                    methods = {x.name for x in kind.body if isinstance(x, ast.FunctionDef) and not x.decorator_list}
                    if value.attr in methods:
                        return "C3", Pattern(
                            "a bound method kept on its own object",
                            f"{kind.name}.{target.attr} holds a method, and the method holds the {kind.name}",
                            *unbound(m, kind, n, target, value),
                            mark,
                        )
                # self.parent = parent, where the parent holds its children
                if mine and isinstance(value, ast.Name) and value.id in parameters[1:]:
                    pattern = Pattern(
                        "parent and child hold each other",
                        f"closes the cycle: {kind.name}.{target.attr} holds what holds this {kind.name}",
                        *weakly(m, kind, n, target, value.id),
                        mark,
                    )
                    if self._holds_back(m, kind, f, value.id, me, parameters.index(value.id) - 1):
                        return "C2", pattern
                    if likely is None and value.id.strip("_") in ("parent", "owner", "container", "root", "outer"):
                        likely = "C2", pattern
                # child.parent = self
                if not mine and isinstance(value, ast.Name) and value.id == me and isinstance(target.value, ast.Name):
                    return "C2", Pattern(
                        "parent and child hold each other",
                        f"closes the cycle: what this {kind.name} holds, holds it",
                        *weakly(m, None, n, target, me),
                        mark,
                    )
        return likely or (None, None)

    def _holds_back(self, m, kind, function, parameter, me, position):
        """Whether what is passed for a parameter comes to hold the object: parent.children.append(self)
        or parent.child = self in the constructor, or self.child = Kind(self) in any class."""
        for n in ast.walk(function):
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and any(isinstance(a, ast.Name) and a.id == me for a in n.args):
                root = n.func.value
                while isinstance(root, (ast.Attribute, ast.Subscript)):
                    root = root.value
                if isinstance(root, ast.Name) and root.id == parameter:
                    return True
            if isinstance(n, ast.Assign) and isinstance(n.value, ast.Name) and n.value.id == me:
                root = n.targets[0]
                while isinstance(root, (ast.Attribute, ast.Subscript)):
                    root = root.value
                if isinstance(root, ast.Name) and root.id == parameter:
                    return True
        for n in ast.walk(m.tree):
            if isinstance(n, ast.Call) and called(n) == kind.name:
                given = n.args[position] if position < len(n.args) else next((k.value for k in n.keywords if k.arg == parameter), None)
                if isinstance(given, ast.Name) and given.id == "self" and m.owner(n) is not None:
                    return True
        return False

    def _function_cycle(self, m, line):
        f = next((n for n in m.at(line, ast.FunctionDef, ast.AsyncFunctionDef)), None)
        for n in m.at(line, ast.Call):
            f = f or next((k for k in ast.walk(m.tree) if isinstance(k, ast.FunctionDef) and k.name == called(n)), None)
        if f is None:
            return None, None
        # except E as e: x = e (kept in a variable of this frame)
        for n in ast.walk(f):
            if isinstance(n, ast.ExceptHandler) and n.name:
                for s in ast.walk(n):
                    if isinstance(s, ast.Assign) and isinstance(s.value, ast.Name) and s.value.id == n.name:
                        new = f"{m.indent(s.lineno)}{m.text(s.targets[0])} = {n.name}.with_traceback(None)"
                        return "C1", Pattern(
                            "an exception that its own frame keeps",
                            "the exception holds this frame, and the frame holds it",
                            "keep it without its traceback",
                            m.change(s.lineno, new),
                            (s.lineno, s.col_offset, s.end_col_offset),
                        )
            if isinstance(n, ast.Assign) and isinstance(n.value, ast.Call) and called(n.value) in ("currentframe", "_getframe"):
                name = m.text(n.targets[0])
                return "C4", Pattern(
                    "a frame that holds itself",
                    f"{name} is a variable of the frame that it names",
                    "drop it when done",
                    [(f.end_lineno + 1, "+", f"{m.indent(f.body[0].lineno)}del {name}")],
                    (n.lineno, n.col_offset, n.end_col_offset),
                )
            if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n is not f:
                if any(isinstance(x, ast.Name) and x.id == n.name and isinstance(x.ctx, ast.Load) for x in ast.walk(n)):
                    return "C4", Pattern(
                        "a nested function that calls itself",
                        f"{n.name} is a variable of its own closure",
                        "move it to module level, or pass it as an argument",
                        (),
                        (n.lineno, n.col_offset + 4, n.col_offset + 4 + len(n.name)),
                    )
            if isinstance(n, ast.ClassDef) or isinstance(n, ast.Call) and called(n) in CLASS_MAKERS:
                return "C6", self._class_made(m, n)
        return None, None

    def _class_made(self, m, node):
        return Pattern(
            "a class made each time the function runs",
            "every class is a cycle, and only the collector frees it",
            "make the class once, at module level",
            (),
            (node.lineno, node.col_offset, len(m.line(node.lineno)) if node.lineno != node.end_lineno else node.end_col_offset),
        )

    def _kept(self, m, node):
        """Whether a function keeps what it makes: by a cache's decorator, or a dict it looks into."""
        scope = m.scope(node)
        return any("cache" in m.text(d) for d in getattr(scope, "decorator_list", ()))
