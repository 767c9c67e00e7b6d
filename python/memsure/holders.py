"""Who keeps it: the way to a container in a snapshot, as words, and as places in the source.

A check gives the way from the root ("module shop", ".CATALOG", "._by_key") and numbers. Here it becomes
the holder of a finding: its name (Catalog._by_key), the line that fills it, the line that makes it, and
the patch that bounds it. The fill line is looked for in the source by that name, among lines that the
recording saw allocate.

A container that is filled by the very function (or module) that owns it, and read there again, is that
function's result, not a leak: then there is no finding (on_purpose).
"""

import sys
import types

from . import _core, text
from .fixes import Pattern, ast, unbound, weakly
from .text import NBSP, count, seconds, size
from .words import returns

FILL = {"append", "add", "setdefault", "insert", "extend", "update", "appendleft", "put", "put_nowait", "push", "register", "subscribe"}
# What takes an entry out of a registry is called so, in the library's own text.
CLOSERS = ("close", "destroy", "dispose", "unregister", "deregister", "remove", "release", "shutdown", "terminate", "reset", "clear")
EMPTY = {"pop", "popitem", "remove", "discard"}
SHORTEN = EMPTY | {"popleft", "clear"}
KINDS = {
    "dict": "dict", "list": "list", "set": "set", "collections.deque": "deque", "collections.OrderedDict": "OrderedDict",
    "collections.defaultdict": "defaultdict", "collections.Counter": "Counter", "tuple": "tuple",
}  # fmt: skip
# They do not look at what is inside; but how many different ones there are is what a set or dict is for.
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
READERS = {"len", "id", "bool", "type", "isinstance"}
MOST_FILES = 60
NO_RECORDS = {"weakref.ReferenceType", "weakref", "method", "function", "builtin_function_or_method", "functools.partial", "type"}
LIBRARY_SHARE = 0.1  # of what lives
DICT = ".__dict__"
CACHE = "functools._lru_cache_wrapper"
NAMED, VALUE, FIELD = 7, 3, 1
CONTEXT_TREE = {"hamt", "hamt_bitmap_node", "hamt_array_node", "hamt_collision_node"}  # in which a context keeps its variables
# What the interpreter keeps for the program -> how the program gives it there, and takes it off.
REGISTERS = {
    "after fork in the child": ("os.register_at_fork", "register one function at import; let it find its objects through a weakref.WeakSet"),
    "after fork in the parent": ("os.register_at_fork", "register one function at import; let it find its objects through a weakref.WeakSet"),
    "before fork": ("os.register_at_fork", "register one function at import; let it find its objects through a weakref.WeakSet"),
    "atexit": ("atexit.register", "take it off when its object is done: atexit.unregister, or weakref.finalize instead"),
}  # fmt: skip


class Holder:
    """The words that a holder adds to its finding; '' or None where it says nothing."""

    __slots__ = (
        "title", "verdict", "note", "held", "evidence", "fix", "patch", "where", "saves", "culprit", "path", "short", "one_line",
        "mark", "file", "keeps",
    )  # fmt: skip

    def __init__(self):
        for name in self.__slots__:
            setattr(self, name, "")
        self.verdict = None
        self.patch = []
        self.path = []
        self.mark = None
        self.file = None


def article(kind):
    return f"an {kind}" if kind[:1] in "aeiouAEIOU" else f"a {kind}"


def short_type(name):
    """'shop.cache.Product' -> 'Product'."""
    return name.rpartition(".")[2]


def a_number(n, what):
    return f"{count(n)}{NBSP}×{NBSP}{what}"


def steps(way):
    """The way as [(label, type)] that code would show: groups at its start and __dict__ left out."""
    out = []
    skip = True
    for label, kind, what, _, _ in way:
        if skip and (what.startswith("module ") or kind != NAMED and out == [] and label):
            skip = False
        if kind == NAMED and (what.startswith(("thread", "Thread")) or " in " in what or label.startswith("thread")):
            skip = False
        if skip:
            continue
        if label == ".__dict__" or label == ".__class__" and what == "dict" or what in CONTEXT_TREE:
            continue
        above = out[-1][1].rpartition(".")[2] if out else ""
        if above and label.startswith(f"._{above.lstrip('_')}__"):  # a private name, as the class's text has it
            label = "." + label[len(above.lstrip("_")) + 2 :]
        out.append((label, what))
    return out or [(label, what) for label, _, what, _, _ in way[1:]]


def path_words(way):
    """['module shop', '.CATALOG (Catalog)', '._by_key (dict)']."""
    out = []
    for n, (label, what) in enumerate(steps(way)):
        if what.startswith("module "):
            out.append(what)
        elif " in " in what or not label:
            out.append(what)
        elif what.startswith("class "):
            out.append(label if bare(label) == short_type(what) else f"{label} (class {short_type(what)})")
        elif what == label or n == 0 and not label.startswith((".", "[", "{")):
            out.append(f"{label} ({short_type(what)})" if what and what != label else label)
        else:
            out.append(f"{label} ({short_type(what)})")
    return out


def bare(label):
    """'._by_key' -> '_by_key', "['price']" -> 'price'."""
    return label[2:-2] if label.startswith("['") else label.lstrip(".")


def cached(chain, at):
    """What the function is called whose cache is step `at`: by its own name, or that of the property that has it inside."""
    return next((bare(label) for label, _ in reversed(chain[: at + 1]) if bare(label).isidentifier()), bare(chain[at][0]))


CONTAINERS = {"dict", "list", "set", "deque", "OrderedDict", "defaultdict", "Counter"}


def name_of(way):
    """What the last step is called: ('Catalog', '_by_key'), ('shop', 'CACHE'), ('main', 'rows'): the
    owner's kind and the attribute, variable or local; ('', '') where it has no name."""
    chain = steps(way)
    for at in range(len(chain) - 1, 0, -1):
        label, _ = chain[at]
        owner = chain[at - 1][1]
        name = bare(label)
        if label.startswith("ContextVar "):
            return "ContextVar", label.removeprefix("ContextVar ")
        if label == "…" and short_type(owner) == "_local":
            continue  # what a thread has of it goes by its name
        if label == "…":  # inside an object of C code: what is above has another name
            break
        if label.startswith(".") and name.isidentifier() or name.isidentifier() and " in " in owner:
            if owner.startswith("module "):
                return owner[7:], name
            if " in " in owner:
                return owner.partition(" in ")[0], name
            return short_type(owner.removeprefix("function ")), name
    return "", ""


class Keepers:
    """The holders of one process's findings."""

    def __init__(self, recording, sources, reader, baseline):
        self.recording = recording
        self.sources = sources
        self.reader = reader
        self.lines = recording.lines
        self._files = self._known = None
        self._baseline = baseline
        self.modules = []  # files of the modules that a way leads through

    def files(self, extra=()):
        """The program's own files that allocated, most first, and those of the given lines."""
        if self._files is None:
            by = {}
            live = self.lines["allocated_bytes"]
            for i, key in enumerate(self.lines.keys):
                by[key[0]] = by.get(key[0], 0) + live[i]
            order = sorted(by, key=by.get, reverse=True)
            names = [self.lines.name(row) for row in order]
            self._files = [n for n in names if self.sources.kind(n) == "own"][:MOST_FILES]
        out = list(self._files)
        for file in self.modules:
            if file not in out:
                out.insert(0, file)
        for line in extra:
            if line is not None and line >= 0:
                name = self.lines.file(line)
                if name and name not in out:
                    out.insert(0, name)
        return out

    def place(self, file, number):
        return self.sources.place(file, number)

    def lead(self, way, also=()):
        """Look into the files of the modules and classes on this way, too: a library's container is filled there."""
        names = set()
        for what in [what for _, _, what, _, _ in way] + list(also):
            name = what[7:] if what.startswith("module ") else what.removeprefix("class ")
            while "." in name or what.startswith("module "):
                names.add("/" + name.replace(".", "/") + ".py")
                names.add("/" + name.replace(".", "/") + "/__init__.py")
                name, dot, _ = name.rpartition(".")
                if not dot:
                    break
        if self._known is None:
            self._known = [self.lines.name(row) for row in dict.fromkeys(key[0] for key in self.lines.keys)]
        self.modules = [file for file in self._known if file.endswith(tuple(names))][:8]

    def held(self, f):
        """The Holder of an L-like finding, or False where the container is kept on purpose."""
        way, facts = f.way, f.facts
        self.lead(way, [facts["value"]] if "." in facts.get("value", "") else ())
        h = Holder()
        if facts.get("selves"):
            return self.selves(f, h)
        kind = KINDS.get(facts.get("type", ""), short_type(facts.get("type", "")))
        owner, name = name_of(way)
        entries = facts["entries"]
        what = facts.get("value")
        value = short_type(what) if what else "entry"
        thing = "weak reference" if value == "ReferenceType" else value
        chain = steps(way)
        register = next((REGISTERS[label] for label, _ in chain[-2:] if label in REGISTERS), None)
        if register:
            thing = "callback"
        h.path = path_words(way)
        h.held = " → ".join(h.path + [a_number(entries, thing)])
        frame = next((w for label, w in reversed(chain[:-1]) if " in " in w), None) if len(chain) > 1 else None
        in_frame = len(chain) > 1 and " in " in chain[-2][1]
        if in_frame and (chain[-1][0] == "stack" or self.sources.kind(self.file_of(chain[-2][1])) == "std"):
            return False  # it has no name yet: a comprehension, or a call's argument, that is being made; or a call into the standard library works on it
        closed = len(chain) > 1 and chain[-2][1].startswith("function ") and chain[-1][1] in KINDS
        h.culprit = f"{owner}.{name}" if owner and not (in_frame or closed) else f"{name} of {owner}" if in_frame or closed else name or self.unnamed(chain, kind)
        fills = self.registered(register[0], f) if register else self.fills(name, f) if name else []
        module = chain[-2][1][7:] if len(chain) > 1 and chain[-2][1].startswith("module ") else None
        if not fills and what and what not in KINDS and facts.get("type") == what:
            return False  # nodes that hold nodes of their own type: a document, as far as its parser has come
        made_whole = not fills and facts.get("nested")
        if not fills and name and self.one_go(name, f):
            return False
        if self.on_purpose(fills, name, frame if in_frame else None, module, kind) or f.rule == "L1" and (self.table(chain) or self.result(chain, made_whole, facts.get("value") or "")):
            return False
        if name and self.limited(name):
            return False
        if fills:
            best = fills[0]
            f.line, f.site = self.line_at(best[0], best[1], f.line), None
            h.mark = best[1], best[2], best[3]
        aged = f"aged {seconds(facts['youngest_s'], 1) if facts['youngest_s'] >= 1 else 0} to {seconds(facts['age_s'], 1)}"
        h.note = f"{count(entries)} entries, {aged}"
        h.title = f"{article(kind)} that only grows"
        if facts.get("nested"):
            h.title = f"{article(kind)} whose contents only grow"
            h.note = f"{count(entries)} entries; what they hold only grows"
        keep = self.bound(entries) if not facts.get("nested") else entries
        saved = round(f.bytes * (1 - keep / entries)) if entries > keep else 0
        told = returns(f)
        if saved and facts.get("keep") == keep:  # computed on the entries themselves
            saved = facts["bounded"]
        if saved:
            h.saves = f"{size(saved)} of {size(facts['live'])} live ({count(keep)} entries take {size(f.bytes - saved)}){told}"
            f.saves = saved
        h.evidence = f"its {count(entries)} entries were born all along"
        if f.slope is not None:
            h.evidence = f"{text.change(f.slope.rise)} from {seconds(f.slope.start)} to {seconds(f.slope.end)}; its entries were born all along"
        def verdict(r, f, who):
            from .words import rate

            place = f" ({self.place(self.lines.file(f.line), h.mark[0])})" if h.mark else ""

            grown = f"{rate(f.process, f.slope)}, with no plateau" if f.slope is not None else f"{size(f.bytes)} of {size(facts['live'])} live, and it only grows"
            return grown + who, h.keeps.format(culprit=h.culprit + place) if h.keeps else f"{h.culprit}{place} keeps every {thing} that it was given"

        h.verdict = verdict
        h.short = f"{h.culprit} only grows: {count(entries)} entries"
        library = self.library(f.way)
        if library and self.history(f, h, library, name):
            if self.frame_of(f.way) in ("lib", "std"):
                return False  # what the library's own running job works on: it ends with the job
        elif library and not self.registry(f, h, library, name):
            library = None
        if facts["few"] and library is None or library and f.slope is None and f.bytes < LIBRARY_SHARE * facts["live"]:
            return False  # without a slope: what a library gathers for its own work, as a test run's reports
        special = getattr(self, "_" + f.rule.lower(), None)
        if library is None and (special is None or not special(f, h, name)):
            if value == "ReferenceType":
                h.title = f"{article(kind)} of weak references that only grows"
                h.fix = "make it a weakref.WeakSet: that forgets what has died" if kind in ("list", "set") else "make it a weakref.WeakValueDictionary: that forgets what has died"
            elif value == "class":
                h.fix = "key it by the class, weakly: weakref.WeakKeyDictionary" if kind == "dict" else "hold the classes weakly: weakref.WeakSet"
            else:
                h.fix = {"list": "bound it: a deque with maxlen", "deque": "bound it: maxlen", "set": "bound it, or empty it when a job ends"}.get(
                    kind, "bound it (pip install cachetools)" if kind in ("dict", "OrderedDict", "defaultdict") else "bound it, or empty it when a job ends"
                )
                if name:
                    self.bounded(f, h, name, kind, keep)
        if register:
            h.fix = register[1]
        if register or value in ("ReferenceType", "class"):
            f.saves = f.bytes
            h.saves = f"up to {size(f.bytes)} of {size(facts['live'])} live"
        if facts.get("other"):
            h.held += f"; so does {facts['other']}"
        self.in_library(f, h)
        from .words import rate

        named = h.culprit if register or not name else f"{kind} {h.culprit}"
        h.one_line = f"{named} grows {rate(f.process, f.slope)}" if f.slope is not None else f"{named} only grows, {size(f.bytes)}"
        return h

    def in_library(self, f, h):
        """A library's line is its authors' to change: say whose, and drop a patch that nobody here can apply."""
        if f.line is None or self.sources.kind(self.lines.file(f.line)) != "lib" or not h.fix:
            return
        name = self.place(self.lines.file(f.line), 1).partition("/")[0].partition(":")[0].removesuffix(".py")
        h.where = f"a newer {name} may have it repaired; there: "
        h.patch = []

    def closed_over(self, way):
        """The way, with the variables of closures and the arguments' defaults by their names: `.__closure__ [1] .cell_contents` of a
        function is its `.known`, `.__defaults__ [0]` its `.trail`, as the source of the line that made the function tells."""
        out = []
        for step in way:
            out.append(step)
            for back, name, names in ((3, ".__closure__", self.free_names), (2, ".__defaults__", self.default_names)):
                if len(out) <= back or out[-back][0] != name or not out[-back - 1][2].startswith("function ") or back == 3 and step[0] != ".cell_contents":
                    continue
                line, index = out[-back - 1][4], out[1 - back][0].strip("[]")
                found = names(line) if line is not None and not self._baseline[line] else ()
                if index.isdecimal() and int(index) < len(found):
                    out[-back:] = [("." + found[int(index)], *step[1:])]
        return out

    def default_names(self, line):
        """The arguments with defaults of the function that a line makes, in their order; () where the source does not tell."""
        m, number = self.reader.module(self.lines.file(line)), self.lines.line(line)
        made = [n for n in (m.parent if m is not None else ()) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
                and min(d.lineno for d in (*n.decorator_list, n)) <= number <= n.lineno]
        if len(made) != 1:
            return ()
        args = made[0].args
        return [a.arg for a in (*args.posonlyargs, *args.args)][-len(args.defaults):] if args.defaults else ()

    def free_names(self, line):
        """What the function that a line makes has from outside, in the order of its closure; () where the source does not tell."""
        m, number = self.reader.module(self.lines.file(line)), self.lines.line(line)
        todo = [compile(m.tree, "<source>", "exec", dont_inherit=True)] if m is not None else []
        found = set()
        while todo:
            code = todo.pop()
            todo += [c for c in code.co_consts if isinstance(c, types.CodeType)]
            if code.co_freevars and not code.co_name.startswith("<"):
                made = next((n for n in m.at(code.co_firstlineno, ast.FunctionDef, ast.AsyncFunctionDef) if n.name == code.co_name), None)
                if made is None:
                    made = next((n for n in m.parent if getattr(n, "name", None) == code.co_name and getattr(n, "decorator_list", ()) and n.decorator_list[0].lineno == code.co_firstlineno), None)
                if made is not None and code.co_firstlineno <= number <= made.lineno:
                    found.add(code.co_freevars)
        return found.pop() if len(found) == 1 else ()

    def registered(self, call, f):
        """Calls of os.register_at_fork or atexit.register, as fills() has them; those next to what grows first."""
        found = []
        short = call.rpartition(".")[2]
        for file in self.files([f.facts.get("entry_line"), f.measured]):
            m = self.reader.module(file)
            for node in m.parent if m is not None else ():
                if isinstance(node, ast.Call) and (_dotted(node.func) == call or _dotted(node.func) == short and short != "register"):
                    end = node.end_col_offset if node.end_lineno == node.lineno else -1
                    found.append((file, node.lineno, node.col_offset, end, m.scope(node), m))
        return found

    @staticmethod
    def unnamed(chain, kind):
        """What a container is called that has no name in code: by the interpreter's register, or by whose it is."""
        for label, _ in chain[-2:]:
            if label in REGISTERS:
                return REGISTERS[label][0]
        label, what = chain[-1]
        if len(chain) < 2:
            return label or "a container"
        owner = chain[-2][1].removeprefix("class ")
        return f"{article(kind)} of {short_type(owner)}" if owner else label or "a container"

    @staticmethod
    def bound(entries):
        return 10_000 if entries > 20_000 else 1000 if entries > 2000 else 100

    def line_at(self, file, number, otherwise):
        """The group of lines of a place, or the one given."""
        for i, key in enumerate(self.lines.keys):
            if key[1] == number and self.lines.name(key[0]) == file and not self._baseline[i]:
                return i
        for i, key in enumerate(self.lines.keys):
            if self.lines.name(key[0]) == file and not self._baseline[i]:
                return i
        return otherwise

    def fills(self, name, f):
        """Statements that put something into what is called `name` -> [(file, line, column, end, scope, node)],
        the one that allocates most first."""
        found = []
        extra = [f.facts.get("entry_line"), f.facts.get("born"), f.measured]
        live = self.lines["live_bytes"]
        by = {}
        for i, key in enumerate(self.lines.keys):
            by[(key[0], key[1])] = by.get((key[0], key[1]), 0) + live[i] + 1
        ids = {self.lines.name(key[0]): key[0] for key in self.lines.keys}
        for file in self.files(extra):
            m = self.reader.module(file)
            if m is None:
                continue
            for node in m.parent:
                target = None
                if isinstance(node, ast.Assign):
                    for t in node.targets:
                        if isinstance(t, ast.Subscript) and _called(t.value) == name:
                            target = t
                elif isinstance(node, ast.AugAssign) and _filled(node.target) == name:
                    target = node.target
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FILL and _filled(node.func.value) == name:
                    target = node
                if target is None:
                    continue
                allocated = max((by.get((ids.get(file), n), 0) for n in range(node.lineno, (node.end_lineno or node.lineno) + 1)), default=0)
                end = target.end_col_offset if target.end_lineno == target.lineno else -1
                found.append((allocated, file, target.lineno, target.col_offset, end, m.scope(node), m))
        found.sort(key=lambda t: -t[0])
        return [t[1:] for t in found]

    def one_go(self, name, f):
        """Whether one comprehension makes the container with all that was born at the line: in a short run that looks like growth.
        Either it is assigned to that name, or the container was born in it, and has another name by now: what was an argument, or returned."""
        m, number = self.reader.module(self.lines.file(f.line)), self.lines.keys[f.line][1]
        file, born = self.lines.keys[int(f.facts.get("born", -1))][:2] if f.facts.get("born", -1) >= 0 else (None, None)
        if m is not None and file == self.lines.keys[f.line][0] and not f.facts.get("nested"):
            kinds = {"list": ast.ListComp, "set": ast.SetComp, "dict": ast.DictComp}.get(f.facts.get("type"))
            if kinds and any(n.lineno <= born <= n.end_lineno for n in m.at(number, kinds)):
                return True
        for node in m.parent if m is not None else ():
            if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not node.value or not node.lineno <= number <= node.end_lineno:
                continue
            made = node.value.args[:1] if isinstance(node.value, ast.Call) else [node.value]
            if isinstance((made or [None])[0], COMPREHENSIONS) and any(_called(t) == name for t in (node.targets if isinstance(node, ast.Assign) else [node.target])):
                return True
        return False

    def on_purpose(self, fills, name, frame, module, kind):
        """Whether the scope that owns the container fills it, and reads it there later."""
        if not fills:
            return False
        for _, number, _, _, scope, m in fills:
            if frame is not None:
                if getattr(scope, "name", "<module>") != frame.partition(" in ")[0].rpartition(".")[2]:
                    return False
            elif module is None or scope is not m.tree:
                return False
        for _, _, _, _, scope, m in fills[:1]:
            for node in ast.walk(scope):
                if not (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)):
                    continue
                above = m.parent.get(node)
                if isinstance(above, ast.Attribute) and above.attr in FILL:
                    continue
                if isinstance(above, ast.Call) and isinstance(above.func, ast.Name) and above.func.id in READERS and (above.func.id != "len" or kind in ("list", "deque")):
                    continue
                if isinstance(above, ast.Subscript) and isinstance(above.ctx, (ast.Store, ast.Del)):
                    continue
                return True
        return False

    def result(self, chain, made_whole, value):
        """Whether the scope at whose variable the way begins reads the container as a whole, by its attributes' names, and in no loop:
        `for row in sim.log` below the loop that ran the simulation. The variable itself counts where nothing is put in later,
        and what it holds grows: `for done in as_completed(futures)`. Or it has its owner do so, where that holds the program's own data:
        `print(chain.valid())`. What a library made, as futures, may be asked how it went, and hold much else."""
        from .verdict import is_main

        module = value.rpartition(".")[0]
        data = module in ("", "__main__") or any(
            file.endswith("/" + module.replace(".", "/") + ".py") and self.sources.kind(file) == "own" for file in self.files()
        )
        for at in range(1, len(chain) - (not made_whole)):
            owner = chain[at - 1][1]
            names = [bare(label) for label, _ in chain[at:]]
            if not all(label.startswith(".") and name.isidentifier() for (label, _), name in zip(chain[at + 1 :], names[1:])):
                continue
            if owner == "module __main__":
                mains = [file for file in self.files() if is_main(self.recording, self.sources, file)]
                scopes = [(m, m.tree) for m in map(self.reader.module, mains) if m is not None]
            elif " in " in owner:
                function = owner.partition(" in ")[0]
                m = self.reader.module(self.file_of(owner))
                scopes = [(m, n) for n in (m.parent if m is not None else ()) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name == function.rpartition(".")[2]]
            else:
                continue
            if " in " in owner and len(names) > 1 and data and self.handed_over(short_type(chain[at][1]), names[1]):
                return True
            for m, scope in scopes:
                for node in m.parent:
                    if not isinstance(node, (ast.Attribute, ast.Name)) or not isinstance(node.ctx, ast.Load) or m.scope(node) is not scope:
                        continue
                    if m.text(node) == ".".join(names) and self.read_once(m, node):
                        return True
                    asked = data and len(names) > 1 and isinstance(node, ast.Attribute) and m.text(node.value) == ".".join(names[:-1]) and m.parent.get(node)
                    if isinstance(asked, ast.Call) and asked.func is node and self.read_once(m, asked) and self.tells(node.attr, chain[-2][1], names[-1]):
                        return True
        return False

    def tells(self, method, kind, name):
        """Whether this method of a class of the program's own reads its attribute as a whole, and does not close."""
        if method.strip("_").startswith(CLOSERS):
            return False
        for m in map(self.reader.module, self.files()):
            for f in m.parent if m is not None else ():
                if not isinstance(f, ast.FunctionDef) or f.name != method or getattr(m.owner(f), "name", None) != short_type(kind) or not f.args.args:
                    continue
                text = f"{f.args.args[0].arg}.{name}"
                if any(isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load) and m.text(n) == text and m.scope(n) is f and self.read_once(m, n) for n in ast.walk(f)):
                    return True
        return False

    def handed_over(self, kind, name):
        """Whether a function that makes an object of this class of the program's own gives it, below its loops, to others as a whole, and
        a method of it tells what the attribute holds: `replay(journal)` at the end of main(). A picture taken while one of its
        methods runs begins there, at `self`."""
        made = told = False
        for m in map(self.reader.module, self.files()):
            for node in m.parent if m is not None else ():
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr == name and getattr(m.owner(node), "name", None) == kind:
                    above = m.parent.get(node)
                    part = isinstance(above, ast.Subscript) and isinstance(above.slice, ast.Slice)
                    view = isinstance(above, ast.Attribute) and above.attr in ("values", "items", "keys")
                    told = told or part or self.read_once(m, m.parent[above] if view else node)
                elif isinstance(node, ast.Call) and _called(node.func) == kind:
                    made = made or self.given_below(m, node)
        return made and told

    @staticmethod
    def given_below(m, call):
        """Whether the variable that this call is assigned to is an argument of another call, below the last loop of its function."""
        scope, above, place = m.scope(call), m.parent.get(call), None
        if isinstance(above, ast.Tuple) and isinstance(m.parent.get(above), ast.Assign):
            place, above = above.elts.index(call), m.parent.get(above)
        target = above.targets[0] if isinstance(above, ast.Assign) and len(above.targets) == 1 else None
        if place is not None and isinstance(target, ast.Tuple) and place < len(target.elts):
            target = target.elts[place]
        if not isinstance(target, ast.Name) or not isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
        inside = [n for n in ast.walk(scope) if m.scope(n) is scope]
        loops = [n.end_lineno for n in inside if isinstance(n, (ast.For, ast.AsyncFor, ast.While)) and n.lineno > call.lineno]
        return bool(loops) and any(
            isinstance(n, ast.Call) and n.lineno > max(loops) and any(isinstance(a, ast.Name) and a.id == target.id for a in n.args)
            and not (isinstance(n.func, ast.Name) and n.func.id in READERS)
            for n in inside
        )

    @staticmethod
    def read_once(m, node):
        above, below = m.parent.get(node), node
        if isinstance(above, (ast.Attribute, ast.Subscript)) and above.value is node:
            return False
        if isinstance(above, ast.Call) and isinstance(above.func, ast.Name) and above.func.id in READERS:
            return False
        while above is not None:
            if isinstance(above, ast.While) or isinstance(above, (ast.For, ast.AsyncFor)) and below is not above.iter:
                return False
            if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                break
            above, below = m.parent.get(above), above
        return True

    def table(self, chain):
        """Whether the way leads through the cache of a function that calls itself: its entries are the algorithm's table."""
        function = next((bare(label) for label, what in chain if what == CACHE), None)
        found = function and self.decorated(function)
        return bool(found) and any(isinstance(n, ast.Call) and _called(n.func) == function for n in ast.walk(found[2]))

    def bounded(self, f, h, name, kind, keep):
        """The line that makes the container, and what to write there instead."""
        for file in self.files([f.facts.get("born")]):
            m = self.reader.module(file)
            if m is None:
                continue
            for node in m.parent:
                value = getattr(node, "value", None)
                targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
                if not value or not any(_called(t) == name and not isinstance(t, ast.Subscript) for t in targets):
                    continue
                if not isinstance(value, (ast.Dict, ast.List, ast.Call, ast.Set)) or getattr(value, "elts", None) or getattr(value, "keys", None):
                    continue
                if isinstance(value, ast.Call) and _called(value.func) not in CONTAINERS:
                    continue  # what makes it has the container inside
                new = {
                    "dict": f"TTLCache({keep:_}, ttl=300)", "OrderedDict": f"TTLCache({keep:_}, ttl=300)", "list": f"deque(maxlen={keep:_})",
                    "deque": f"deque(maxlen={keep:_})",
                }.get(kind)  # fmt: skip
                if new is None:
                    return
                h.patch = m.change(node.lineno, m.replaced(value, new))
                function = m.scope(node)
                owner = m.owner(node)
                if function is not m.tree:
                    h.where = f"in {owner.name + '.' if owner is not None else ''}{getattr(function, 'name', '')}: "
                if file != self.lines.file(f.line):
                    h.file = file
                    h.where = f"in {self.place(file, node.lineno)}: "
                return

    # -- what a library holds for the program

    def whose(self, line):
        """'own', 'lib' or 'std', or '' where it is not known, of a line's code."""
        return self.sources.kind(self.lines.file(int(line))) if line is not None and line >= 0 else ""

    def library(self, way):
        """(file of the module whose class, object or variable owns the container, and whether the way begins in a library, too);
        None where that module is the program's own."""
        chain = steps(way)
        owners = chain if way[-1][0] == DICT else chain[:-1]  # an object's own dict is the object
        owners = [what.removeprefix("class ") for _, what in owners]
        names = [what for what in owners if what not in KINDS and ("." in what or what.startswith("module "))]
        files = [self.module_file(what[7:] if what.startswith("module ") else what) for what in names]
        if not files or files[-1] is None or self.sources.kind(files[-1]) not in ("lib", "std"):
            return None
        return files[-1], files[0] is not None and self.sources.kind(files[0]) in ("lib", "std")

    def module_file(self, name):
        """The file of a module, or of the one that a class is in, among those of the way."""
        while name:
            tail = name.replace(".", "/")
            names = (tail + ".py", tail + "/__init__.py")
            for file in self.modules:
                if file.endswith(("/" + names[0], "/" + names[1])) and (self.sources.kind(file) == "own" or self.place(file, 0) in names):  # flask/app.py is not "app"
                    return file
            name = name.rpartition(".")[0]
        return None

    def history(self, f, h, library, name):
        """R6: an object of a library's has a list that the library's own code appends to, of what that code makes."""
        facts = f.facts
        kept = facts.get("value", "")
        several = facts.get("nested") and f.way[-1][0] == DICT  # lists of one object, with the same records
        if f.rule not in ("L1", "L4") or not (facts["sequence"] or several) or kept in NO_RECORDS:
            return False
        if self.whose(f.measured if several else facts["entry_line"]) not in ("lib", "std") or self.whose(facts["born"]) == "own":
            return False
        f.rule = "R6"
        h.title = "a history that a library keeps"
        h.fix = "switch it off, or empty it when a job ends" + self.closers(library[0], ("reset", "clear", "flush"), "any")
        if name == "queries_log":
            h.fix = "switch it off: DEBUG = False; or, when a job ends, django.db.reset_queries()"
        h.short = f"{h.culprit} keeps a record of each call"
        h.patch, h.where = [], ""
        self.to_caller(f, h)
        return True

    def registry(self, f, h, library, name):
        """R7: a library has a table of the objects that it made for the program."""
        facts = f.facts
        file, from_library = library
        kept = facts.get("value", "")
        if f.rule != "L1" or not from_library or "." not in kept or kept in NO_RECORDS or kept.endswith(("Meta", "Metaclass")):
            return False
        made = self.module_file(kept)
        if made is None or self.sources.kind(made) == "own":
            return False
        label, owner = steps(f.way)[-2]
        if owner.startswith("class "):
            owner = bare(label)
            h.culprit = f"{owner}.{name}"
        closers = self.closers(file, CLOSERS, "" if owner.startswith("module ") else short_type(owner))
        f.rule = "R7"
        h.title = "a library's registry still holds it"
        h.fix = f"take each out when it is done{closers}" if closers else "make one for each kind, not one for each job: nothing takes them out"
        h.short = f"{h.culprit} still holds {count(facts['entries'])} {short_type(kept)} objects"
        self.to_caller(f, h)
        return True

    def closers(self, file, words, of=""):
        """': destroy, destroy_all': what a class (any; "": the module itself) has to take things out, as the end of a sentence."""
        m = self.reader.module(file)
        found = []
        for node in m.parent if m is not None else ():
            if isinstance(node, ast.FunctionDef) and node.name.split("_")[0] in words and m.scope(node) is m.tree:
                owner = m.owner(node)
                if of in ("any", owner.name if owner is not None else "") and node.name not in found:
                    found.append(node.name)
        return ": " + ", ".join(found[:3]) if found else ""

    def to_caller(self, f, h):
        """Tell it at the program's own line for which the library did it."""
        from .verdict import caller

        above, live, file = None, self.lines["live_bytes"], self.lines.file(f.measured)
        beside = [i for i in range(len(self.lines)) if live[i] and self.lines.file(i) == file]  # few stacks are sampled
        for line in (f.measured, f.facts["entry_line"], *sorted(beside, key=live.__getitem__, reverse=True)[:20]):
            if line is not None and line >= 0 and above is None:
                above = caller(self.recording, self.sources, f.process, int(line), "allocated_bytes")
        if above is not None:
            h.evidence += f"; {h.culprit} is filled in {self.place(self.lines.file(f.line), self.lines.line(f.line))}"
            f.line, f.site, h.mark = above[0], None, None

    # -- rules with words of their own

    def decorated(self, name):
        """The function of this name that a cache wraps -> (file, module, node, decorator) or None."""
        for file in self.files():
            m = self.reader.module(file)
            for node in m.parent if m is not None else ():
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
                    for d in node.decorator_list:
                        if "cache" in m.text(d):
                            return file, m, node, d
        return None

    def selves(self, f, h):
        """L2: a cache on a method, with a limit: it does not grow, and holds the last instances."""
        h.path = path_words(f.way)
        h.held = " → ".join(h.path + [a_number(f.facts["entries"], short_type(f.facts["value"]))])
        self._l2(f, h, "")
        h.note = f"{count(f.facts['entries'])} instances live by it alone"
        h.evidence = f"nothing else holds them: {size(f.bytes)} of {size(f.facts['live'])} live"

        def verdict(r, f, who):
            return f"{size(f.bytes)} of {size(f.facts['live'])} live is kept by a cache{who}", h.keeps.format(culprit=h.culprit).replace("calls", "instances")

        h.verdict = verdict
        h.saves = f"up to {size(f.bytes)} of {size(f.facts['live'])} live"
        return h

    def _l2(self, f, h, name):
        chain = steps(f.way)
        at = next((n for n, (_, what) in enumerate(chain) if what == CACHE), None)
        if at is None:
            return False
        method = cached(chain, at)
        owner = next((what for _, what in reversed(chain[:at]) if what and what != "property"), "")
        h.title = "lru_cache on a method keeps self"
        h.keeps = f"lru_cache on {{culprit}} keeps the self of {count(f.facts['entries'])} calls"
        found = self.decorated(method)
        if found is not None:
            file, m, node, d = found
            cls = m.owner(node)
            f.line, f.site = self.line_at(file, node.lineno, f.line), None
            h.mark = d.lineno, d.col_offset - 1, d.end_col_offset if d.end_lineno == d.lineno else -1
            h.culprit = f"{cls.name if cls is not None else short_type(owner)}.{method}"
            only_self = cls is not None and len(node.args.args) == 1 and not node.args.vararg
            h.fix = "let the value die with its instance" if only_self else "cache a function of plain keys; call it with them"
            if only_self:
                h.patch = self.of_instance(m, cls, node, d)
        else:
            h.culprit = method
            h.fix = "cached_property, or a cached function of plain keys"
        h.short = f"lru_cache on {h.culprit} keeps its instances"
        return True

    @staticmethod
    def of_instance(m, cls, node, d):
        """A cached method whose value is kept by its instance instead, and read as before -> patch; () where that takes more."""
        names = {n.name for n in cls.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        slots = any(isinstance(n, ast.Name) and n.id == "__slots__" for n in ast.walk(cls)) or any("slots" in m.text(x) for x in cls.decorator_list)
        others = [x for x in node.decorator_list if x is not d]
        if slots or f"_{node.name}" in names or node.name.startswith("_") or not isinstance(node, ast.FunctionDef):
            return ()
        at = m.indent(d.lineno)
        kept = m.change(d.lineno, f"{at}@cached_property")
        if len(others) == 1 and m.text(others[0]) == "property":
            return [(others[0].lineno, "-", m.line(others[0].lineno)), *kept]
        if others:
            return ()
        renamed = m.change(node.lineno, m.line(node.lineno).replace(f"def {node.name}", f"def _{node.name}", 1))
        return [*kept, *renamed, (node.end_lineno + 1, "+", f"{at}def {node.name}(self):"), (node.end_lineno + 1, "+", f"{at}    return self._{node.name}")]

    def _l1(self, f, h, name):
        chain = steps(f.way)
        at = next((n for n, (_, what) in enumerate(chain) if what == CACHE), None)
        if at is None:
            return False
        function = cached(chain, at)
        h.title = "a cache without a limit"
        h.keeps = f"the cache of {{culprit}} keeps all {count(f.facts['entries'])} results, and what they were called with"
        h.culprit = function
        h.short = f"the cache of {function} only grows"
        h.fix = "give the cache a size"
        found = self.decorated(function)
        if found is not None:
            file, m, node, d = found
            f.line, f.site = self.line_at(file, node.lineno, f.line), None
            h.mark = d.lineno, d.col_offset - 1, d.end_col_offset if d.end_lineno == d.lineno else -1
            prefix = "functools." if m.text(d).startswith("functools.") else ""
            h.patch = m.change(d.lineno, f"{m.indent(d.lineno)}@{prefix}lru_cache(maxsize={self.bound(f.facts['entries']):_})")
        return True

    def _l5(self, f, h, name):
        chain = steps(f.way)
        at = next((n for n, (_, what) in enumerate(chain) if "ueue" in short_type(what)), None)
        if at is None:
            return False
        kind = short_type(chain[at][1])
        queue = bare(chain[at][0])
        h.title = "a queue without a limit"
        h.culprit = queue or kind
        h.short = f"{h.culprit} is filled faster than it is emptied"
        h.fix = "give it a size: the producer waits then"
        fills = self.fills(queue, f)
        if fills:
            f.line, f.site = self.line_at(fills[0][0], fills[0][1], f.line), None
            h.mark = fills[0][1:4]
        for file in self.files():
            m = self.reader.module(file)
            for node in m.parent if m is not None else ():
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and any(_called(t) == queue for t in node.targets) and not node.value.args:
                    h.patch = m.change(node.lineno, m.replaced(node.value, f"{m.text(node.value.func)}(maxsize=1000)"))
                    return True
        return True

    def mine(self, f, h):
        """The nearest line of the program's own that has a library do this: it is where the change belongs. The library's stays
        in the note."""
        from .verdict import caller

        if f.line is None or self.sources.kind(self.lines.file(f.line)) == "own":
            return
        file, function = self.lines.file(f.line), self.lines.function(f.line)
        inside = [i for i, key in enumerate(self.lines.keys) if self.lines.name(key[0]) == file and self.lines.function(i) == function]
        found = {}
        for i in inside:
            above = caller(self.recording, self.sources, f.process, i, "allocated_bytes")
            if above is not None:
                found[above[0]] = found.get(above[0], 0) + 1
        if not found:  # no stack was sampled there: the only line that calls something of that name
            called = function.rpartition(".")[2]
            calls = set()
            for own in self.files():
                m = self.reader.module(own)
                calls |= {(own, n.lineno) for n in (m.parent if m is not None else ()) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == called}
            if len(calls) == 1:
                at = self.line_at(*calls.pop(), None)
                found = {at: 1} if at is not None else {}
        if found:
            h.note += f"; kept by {self.place(file, h.mark[0] if h.mark else self.lines.line(f.line))}"
            f.line, f.site, h.mark = max(found, key=found.get), None, None

    def _l8(self, f, h, name):
        if not self.in_thread(f):
            f.rule = "L1"
            return self._l1(f, h, name)
        h.title = "it grows by the clock, not by the work"
        h.evidence += f"; in {seconds(f.facts['idle'])} in which the program hardly allocated it grew as fast"
        return False

    def in_thread(self, f):
        """Whether a thread other than the main one made most of what the finding's line keeps, by the sampled stacks."""
        p = f.process
        rows = {row for line in {f.measured, f.line} for q, row in self.lines.rows(line) if q is p}
        group = self.lines.group[self.recording.processes.index(p)]
        sites, parents, live = p.columns("nodes", "site", "parent", "live_bytes")
        own = other = 0.0
        for node, site in enumerate(sites):
            if site not in rows or not 0 < live[node] < 1e18:
                continue
            at, last, steps = node, node, 0
            while at and at < len(parents) and steps < 1000:
                last, at, steps = at, parents[at], steps + 1
            outer = sites[last]
            if outer < len(group) and self.lines.file(group[outer]).endswith("/threading.py"):
                other += live[node]
            else:
                own += live[node]
        return other > own

    def _l3(self, f, h, name):
        self.mine(f, h)
        h.title = "a metric with too many labels"
        h.fix = "label with what has few values; leave ids out"
        h.short = f"{count(f.facts['entries'])} children, one for each combination of labels"
        return True

    def _l4(self, f, h, name):
        h.title = "a table of texts that only grows"
        h.fix = "bound it, or keep one for each job"
        return True

    def _r13(self, f, h, name):
        h.title = "listeners that were never taken off"
        h.keeps = f"{{culprit}} keeps {count(f.facts['entries'])} callbacks, and the objects that they belong to"
        h.fix = "take them off when their object is done; or let the list hold weakref.WeakMethod, and call what it gives"
        return True

    def _r5(self, f, h, name):
        self.mine(f, h)
        h.title = "a session that keeps all it ever loaded"
        h.fix = "a session for each job: with Session() as session"
        return True

    def began(self, f, line):
        """Where the coroutines were begun that are made at `line`, the first one of their function: by the stacks; or the only call of
        that function which is not awaited at once."""
        from .verdict import caller

        above = caller(self.recording, self.sources, f.process, line, "allocated_bytes")
        if above is not None:
            return above[0]
        function, found = self.lines.function(line).rpartition(".")[2], set()
        for file in self.files():
            m = self.reader.module(file)
            found |= {(file, n.lineno) for n in (m.parent if m is not None else ()) if isinstance(n, ast.Call) and _called(n.func) == function and not isinstance(m.parent[n], ast.Await)}
        return self.line_at(*found.pop(), line) if len(found) == 1 else line

    def _r9(self, f, h, name):
        entry, waits = int(f.facts["entry_line"]), int(f.facts.get("waits", -1))
        if h.mark and self.whose(f.line) == "own":
            pass
        elif not h.mark and entry >= 0 and self.whose(entry) == "own":
            f.line, f.site = entry, None  # what is entered is made where it is entered
        elif waits >= 0:
            at = self.began(f, waits)
            if h.mark and self.whose(at) == "own":
                h.note += f"; kept by {self.place(self.lines.file(f.line), h.mark[0])}"
                h.mark = None
            f.line, f.site = at, None
        self.mine(f, h)
        h.title = "very many wait on one future"
        h.fix = "take each off when its task is done: remove_done_callback(), or cancel() of what waits"
        return True


    # -- native memory

    def native(self, f):
        """The Holder of native growth: of the extension modules that were loaded, those it may be; None where no snapshot tells.
        The standard library's are left out; where several libraries have some, those that the line's own file imports count."""
        packages = {}
        for name in extensions(f.process):
            top = name.partition(".")[0]
            if top.lstrip("_") not in sys.stdlib_module_names and top not in sys.stdlib_module_names:
                packages.setdefault(top, []).append(name)
        imported = self.imports(self.lines.file(f.line)) if f.line is not None else set()
        if len(packages) > 1 and packages.keys() & imported:
            packages = {top: names for top, names in packages.items() if top in imported}
        by_hand = not packages and "ctypes" in imported
        if by_hand:
            packages = {"ctypes": ["C code called by ctypes"]}
        if not packages or len(packages) > 4:
            return None
        h = Holder()
        names = [names[0] if len(names) == 1 else top for top, names in sorted(packages.items())]
        h.culprit = " or ".join(names)
        h.path = names
        only = "the only extension module loaded that is not Python's own" if len(names) == 1 else "the extension modules that this file uses"
        only = "no extension module is loaded that is not Python's own" if by_hand else only
        h.held = f"most likely {h.culprit}: {only}"
        calls = self.calls_into(f, packages)
        if calls is not None:
            f.line, f.site = calls[0], None
            h.mark = calls[1]
        at = self.place(self.lines.file(f.line), h.mark[0] if h.mark else self.lines.line(f.line)) if f.line is not None else ""
        place = f"; {at} calls it" if calls is not None else f"; meanwhile the program is at {at}" if at else ""

        def verdict(r, f, who):
            from .words import rate

            return f"native memory grows by {rate(f.process, f.slope)}, outside of Python{who}", f"most likely in {h.culprit}, by what C code keeps{place}"

        h.verdict = verdict
        h.fix = "upgrade the library that it belongs to; or let workers do this part, and renew them"
        return h

    def calls_into(self, f, packages):
        """The program's own line that calls into one of these packages -> (line, (line number, column, end column) or None) or None: by the
        stacks below which the packages' own Python code allocated, or by what the source calls by a name that it imports from them."""
        from .verdict import caller

        found = {}
        for i in range(len(self.lines)):
            file = self.lines.file(i)
            if self._baseline[i] or not self.lines["allocated_bytes"][i]:
                continue
            if self.sources.kind(file) == "lib" and any(f"/{top}/" in file or file.endswith(f"/{top}.py") for top in packages):
                above = caller(self.recording, self.sources, f.process, i, "allocated_bytes")
                if above is not None and not self.is_import(above[0]):
                    found[above[0]] = found.get(above[0], 0) + self.lines["allocated_bytes"][i]
        if found:
            return max(found, key=found.get), None
        allocated, best = self.lines["allocated_bytes"], None
        for file in self.files():
            m = self.reader.module(file)
            names = self.imported(m, packages) if m is not None else ()
            for node in m.parent if names else ():
                if not isinstance(node, ast.Call) or m.scope(node) is m.tree and not m.up(node, ast.For, ast.While):
                    continue  # once, at import
                if _root(node.func) not in names:
                    continue
                line = self.line_at(file, node.lineno, None)
                if line is None or self.lines.line(line) != node.lineno:
                    continue
                if best is None or allocated[line] > allocated[best[0]]:
                    end = node.end_col_offset if node.end_lineno == node.lineno else -1
                    best = line, (node.lineno, node.col_offset, end)
        return best

    def is_import(self, line):
        """Whether a line of the program's is an import: what it did, it did once."""
        m = self.reader.module(self.lines.file(line))
        return m is not None and bool(m.at(self.lines.line(line), ast.Import, ast.ImportFrom))

    @staticmethod
    def imported(m, packages):
        """The names in a module that stand for these packages, for what is imported from them, or for what was made by calling that."""
        names = set()
        for node in m.parent:
            if isinstance(node, ast.Import):
                names |= {a.asname or a.name.partition(".")[0] for a in node.names if a.name.partition(".")[0] in packages}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module.partition(".")[0] in packages:
                names |= {a.asname or a.name for a in node.names}
        for node in m.parent:
            if isinstance(node, ast.Assign) and _root(node.value) in names:
                names |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        return names

    def imports(self, file):
        """The top-level packages that a file imports."""
        m = self.reader.module(file)
        found = set()
        for node in m.parent if m is not None else ():
            if isinstance(node, ast.Import):
                found |= {a.name.partition(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
        return found

    # -- circles

    def circle(self, f):
        """The Holder of a finding whose way is a circle, the reference to cut first."""
        h = Holder()
        self.lead(f.way)
        chain = circle_steps(f.way)
        owner, label = chain[0]
        attr = label.lstrip(".")
        h.culprit = circle_words(chain)
        h.path = [
            f"{short_type(what)} {label}" + (f" ({self.place(self.lines.file(line), self.lines.line(line))})" if line is not None else "")
            for label, _, what, _, line in f.way
        ]
        n, dead = f.facts["circles"], f.facts["dead"]
        if dead:
            h.held = f"nobody: {count(n)} dead circle{'s' if n != 1 else ''} of this form " + (
                "that the collector does not see" if f.rule == "C5" else "wait for the collector" if n != 1 else "waits for the collector"
            )
        h.note = f"closes the circle {h.culprit}"
        pattern = None
        if f.line is not None:
            rule, found = self.reader.cycle(self.lines.file(f.line), self.lines.line(f.line), self.lines.function(f.line))
            pattern = found if rule == f.rule else None
        ties = [(owner, attr)]
        if f.rule == "C5":  # what hides the circle has no attributes that a statement stores: the one that leads there
            ties = [(what, label.lstrip(".")) for what, label in chain]
        for what, name in ties:
            if pattern is None and name.isidentifier() and " in " not in what and not what.startswith(("dict", "cell", "function")):
                pattern = self.assigned(f, short_type(what), name)
                owner, attr = (what, name) if pattern is not None else (owner, attr)
        place = ""
        if pattern is None and " in " in owner:  # a frame's variable: where that frame was, not where what it holds was made
            line = next((line for label, _, what, _, line in f.way if (what, label) == chain[0] and line is not None), None)
            if line is not None and not self._baseline[line]:
                f.line, f.site = line, None
                h.note = f"{attr} refers to what refers to this call"
            h.fix = f"when it is done with: del {attr}"
        born = [line for _, _, _, _, line in f.way if line is not None and not self._baseline[line]]
        if pattern is None and " in " not in owner and f.line is not None and f.line not in born:
            own = [line for line in born if self.sources.kind(self.lines.file(line)) == "own"]
            if own:  # what closes the circle is made there, not what hangs on it
                f.line, f.site = own[0], None
            else:
                h.note = f"hangs on the circle {h.culprit}"
        if pattern is not None:
            h.title, h.fix, h.patch, h.mark = pattern.title, pattern.fix, pattern.patch, pattern.mark
            if pattern.file is not None and pattern.mark:
                f.line = self.line_at(pattern.file, pattern.mark[0], f.line)
                f.site = None
            if f.line is not None and pattern.mark:
                place = f" ({self.place(self.lines.file(f.line), pattern.mark[0])})"
        elif f.line is not None and (self.sources.kind(self.lines.file(f.line)) == "own" or " in " in owner):
            place = f" ({self.place(self.lines.file(f.line), self.lines.line(f.line))})"
        if not h.fix:
            h.fix = {
                "C1": "keep the exception without its traceback: e.with_traceback(None)",
                "C3": "hold the method weakly: weakref.WeakMethod",
                "C4": "drop the frame or function when done: del",
                "C5": "empty it by hand before it is dropped, or use a list: the collector does not see into it",
                "C6": "make the class once, at module level",
                "C8": "keep the other's name or number instead of itself; or gc.collect() when a batch is done",
                "C9": "close what it holds: with ... as ...",
                "Y5": "weakref.finalize instead of __del__",
            }.get(f.rule, f"let {short_type(owner)}{label} refer weakly")
        who_ties = h.culprit
        if f.line != f.measured and f.measured is not None and f.facts.get("by_collector"):
            made = self.place(self.lines.file(f.measured), self.lines.line(f.measured))
            h.evidence = f"the collector frees {text.percent(f.facts['by_collector'], f.facts['freed'])} of all freed bytes; {text.percent(f.facts['line_bytes'], f.facts['by_collector'])} of it was made at {made}"

        def verdict(r, f, who):
            facts = f.facts
            if facts.get("waiting"):
                how = "and no collection frees it" if f.rule == "C5" else "waiting for the collector"
                first = f"{size(facts['waiting'])} was dead at once, {how}; the peak is {size(facts['peak'])}{who}"
            else:
                share = text.percent(facts["by_collector"], facts["freed"])
                took = text.percent(facts["collector_s"], facts["duration"])
                first = f"the collector frees {share} of all freed bytes, and takes {took} of the time{who}"
            return first, f"{who_ties}{place} ties them in a circle"

        h.verdict = verdict
        from .rules import RULES

        h.title = h.title or RULES[f.rule].title
        h.short = f"{h.title}: {h.culprit}"
        h.one_line = f"circle {h.culprit}, {size(f.bytes)}"
        self.in_library(f, h)
        return h

    def limited(self, name):
        """Whether entries are taken out again where there are too many: `if len(x) > n: x.popitem()`, `while used > room: ...; used -= ...`.
        It is not full yet, then."""

        def takes_out(node):
            if isinstance(node, ast.Delete):
                return any(isinstance(t, ast.Subscript) and _called(t.value) == name for t in node.targets)
            return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SHORTEN and _called(node.func.value) == name

        def counts(node, body, m):
            if isinstance(node, ast.Call):
                return _called(node.func) == "len" and len(node.args) == 1 and _called(node.args[0]) == name
            text = m.text(node) if isinstance(node, (ast.Name, ast.Attribute)) else None
            return text and any(isinstance(n, ast.AugAssign) and isinstance(n.op, ast.Sub) and m.text(n.target) == text for n in body)

        for file in self.files():
            m = self.reader.module(file)
            for node in m.parent if m is not None else ():
                if not isinstance(node, (ast.If, ast.While)) or not isinstance(node.test, ast.Compare):
                    continue
                body = [n for s in node.body for n in ast.walk(s)]
                if any(counts(n, body, m) for n in ast.walk(node.test)) and any(map(takes_out, body)):
                    return True
        return False

    def assigned(self, f, kind, attr):
        """The statement that stores the reference `attr` of a class -> Pattern or None."""
        best = None
        for file in self.files([f.line]):
            m = self.reader.module(file)
            for node in m.parent if m is not None else ():
                if not isinstance(node, ast.Assign) or isinstance(node.value, ast.Constant):
                    continue
                for t in node.targets:
                    if not (isinstance(t, ast.Attribute) and t.attr == attr):
                        continue
                    owner = m.owner(node)
                    rank = (owner is not None and owner.name == kind) + (isinstance(node.value, ast.Name))
                    if best is None or rank > best[0]:
                        best = rank, file, m, node, t
        if best is None:
            return None
        _, file, m, node, t = best
        fix, patch = "", ()
        of = next((n for n in m.parent if isinstance(n, ast.ClassDef) and n.name == kind), None)
        if f.rule == "C3" and isinstance(node.value, ast.Attribute):
            fix, patch = unbound(m, of if m.text(t.value) == "self" else None, node, t, node.value)
        elif isinstance(node.value, ast.Name):
            whose = "the child refer weakly to its parent" if attr.strip("_") == "parent" else f"{kind}.{attr} refer weakly"
            fix, patch = weakly(m, of, node, t, m.text(node.value), whose)
        title = {"C2": "two objects hold each other", "C3": "a bound method kept on its own object"}.get(f.rule, "")
        cached = any(what == "functools._lru_cache_wrapper" for _, _, what, _, _ in f.way)
        if cached:
            fix = "cache a function of plain keys, not a method of its own"
        fix = fix or ("hold the method weakly" if f.rule == "C3" else f"let {kind}.{attr} refer weakly")
        if f.rule not in ("C2", "C3", "Y5"):
            title, fix, patch = "", "", ()
        found = Pattern(title if attr.strip("_") != "parent" or f.rule != "C2" else "parent and child hold each other", "", fix, patch, (node.lineno, t.col_offset, t.end_col_offset), file=file)
        return found

    # -- what is held, and need not be, or not so large

    def passes_through(self, way):
        """Whether a local of the standard library's is all that holds it, as in `python -m json.tool`, or a call that it is an argument
        of, and has no name yet: nobody's to store otherwise."""
        last = steps(way)[-2:]
        return self.frame_of(way) == "std" or len(last) == 2 and " in " in last[0][1] and last[1][0] == "stack"

    def frame_of(self, way):
        """Whose the running function is by whose variable a way begins: 'own', 'lib', 'std'; None: it begins elsewhere."""
        first = next((what for _, what in steps(way) if " in " in what), None)
        return self.sources.kind(self.file_of(first)) if first is not None else None

    def file_of(self, frame):
        """The file of 'function in FILE', whose end may be cut."""
        function, file = frame.partition(" in ")[::2]
        if not file.endswith("…"):
            return file
        keys = enumerate(self.lines.keys)
        return next((self.lines.name(k[0]) for i, k in keys if self.lines.name(k[0]).startswith(file[:-1]) and self.lines.function(i) == function), "")

    def kept(self, f):
        """The Holder of a finding of retention: its way, and words by rule."""
        h = Holder()
        self.lead(f.way)
        facts = f.facts
        h.path = path_words(f.way)
        h.held = " → ".join(h.path)
        owner, name = name_of(f.way)
        in_frame = any(" in " in what for _, what in steps(f.way)[-2:-1])
        h.culprit = f"{name} of {owner}" if in_frame else f"{owner}.{name}" if owner else name or short_type(facts.get("type", ""))
        if owner == "ContextVar":
            h.culprit = f"ContextVar {name}"
        live = facts["live"]
        h.saves = f"{size(f.saves)} of {size(live)} live{returns(f)}"
        kind = short_type(facts.get("type", "") or facts.get("kind", ""))
        n = facts.get("number", 0)
        where = ""
        if f.line is not None and self.sources.kind(self.lines.file(f.line)) == "own":
            where = f" ({self.place(self.lines.file(f.line), self.lines.line(f.line))})"

        def verdict(r, f, who):
            return f"{size(f.saves)} of {size(live)} live need not be held{who}", f"{h.title}: {h.culprit}{where}"

        h.verdict = verdict
        together = facts.get("together", 0)
        if n > 1 and 2 * together > n and f.rule != "S3" and len(h.path) > 1:  # many of one kind, with one holder
            h.path[-1] = a_number(together, short_type(facts["type"]))
            h.held = " → ".join(h.path)
        look = getattr(self, "_kept_" + f.rule.lower(), None)
        if look is not None:
            look(f, h, kind, n)
        from .rules import RULES

        h.title = h.title or RULES[f.rule].title
        h.short = h.short or f"{h.title}: {h.culprit}"
        h.one_line = h.one_line or f"{h.title}: {h.culprit}, {size(f.bytes)}, saves {size(f.saves)}"
        return h

    def _kept_r1(self, f, h, kind, n):
        if kind == "frame":
            h.title = "a kept frame holds its variables" if n == 1 else "kept frames hold their variables"
            h.note = f"{count(n)} {kind}{'s' if n > 1 else ''} of calls that have returned"
            h.evidence = f"{size(f.bytes)} is reached by way of {'it' if n == 1 else 'them'} only"
            h.fix = "keep what is asked of it (f_code, f_lineno, one of f_locals), not the frame; del it in a finally"
            return
        h.title = "a kept exception holds its frames" if n == 1 else "kept exceptions hold their frames"
        h.note = f"{count(n)} {kind}, {size(f.bytes)} by way of tracebacks and frames"
        h.evidence = f"{size(f.bytes)} is reached by way of the exception only"
        h.fix = "keep it without its frames: traceback.clear_frames(e.__traceback__), or a string"
        variable = h.culprit.startswith("ContextVar ")
        fills = FILL | {"set"} if variable else FILL
        for file in self.files([f.line]):
            m = self.reader.module(file)
            for node in m.parent if m is not None else ():
                if not isinstance(node, ast.ExceptHandler) or not node.name:
                    continue
                for s in ast.walk(node):
                    given = s.value if isinstance(s, ast.Assign) else None
                    target = None
                    if isinstance(given, ast.Name) and given.id == node.name:
                        target = s.targets[0]
                        new = f"{m.indent(s.lineno)}{m.text(target)} = {node.name}.with_traceback(None)"
                    elif isinstance(s, ast.Call) and isinstance(s.func, ast.Attribute) and s.func.attr in fills and any(isinstance(a, ast.Name) and a.id == node.name for a in s.args):
                        target = s
                        arg = next(a for a in s.args if isinstance(a, ast.Name) and a.id == node.name)
                        new = m.replaced(arg, f"{node.name}.with_traceback(None)")
                    if target is None:
                        continue
                    held = h.culprit.rpartition(".")[2].partition(" of ")[0]
                    if held and held not in m.text(s) and len(self.files()) > 1 and not variable:
                        continue
                    f.line, f.site = self.line_at(file, s.lineno, f.line), None
                    h.mark = s.lineno, target.col_offset, target.end_col_offset if target.end_lineno == target.lineno else -1
                    h.patch = m.change(s.lineno, new)
                    return

    def _kept_r2(self, f, h, kind, n):
        if "shown" not in f.facts:
            h.title = "the last traceback holds its frames"
            h.note = f"{size(f.bytes)} by way of its frames"
            h.evidence = f"{size(f.bytes)} is reached by way of it only"
            h.fix = "when it was read: sys.last_traceback = sys.last_value = sys.last_exc = None"
            return
        h.title = "an interactive session keeps what it showed"
        h.note = f"{size(f.bytes)}, held as {h.culprit.rpartition('.')[2]}"
        h.evidence = f"only {h.culprit} holds it"
        h.fix = "end the line with ;, or assign it; %reset -f out"

    def _kept_r8(self, f, h, kind, n):
        h.title = f"{kind}s that were begun and never finished"
        h.note = f"{count(n)} of them are suspended, and hold {size(f.bytes)}"
        h.evidence = f"{count(n)} suspended {kind}s, each with its variables"
        h.fix = "close them: with contextlib.closing(...)"

    def _kept_r11(self, f, h, kind, n):
        h.title = "a small view holds a large buffer"
        h.evidence = f"{count(n)} {kind} hold {size(f.bytes)}"

    def _kept_r10(self, f, h, kind, n):
        if f.facts["ended"]:
            h.title = "threads that ended, and are kept"
            h.note = f"{count(n)} {kind} objects, and what they carry"
            h.evidence = f"{count(n)} threads that run no more hold {size(f.bytes)}"
            h.fix = "keep what the thread found out, not the thread"
            return
        h.title = "what a job left in its thread's locals"
        h.note = f"{count(n)} threads wait, and each still holds {'one' if n == 1 else 'its last'}"
        h.evidence = f"made anew for each job; {count(n)} threads that wait hold {size(f.bytes)}"
        h.fix = "let go of it when the job ends: del, in a finally"

    def _kept_n6(self, f, h, kind, n):
        h.title = "tee() keeps all that one of its iterators is ahead"
        h.evidence = f"{count(n)} of tee's buffers, 57 elements each, hold {size(f.bytes)}"
        h.fix = "make a list once, or read both in step"
        place = f.line is not None and (self.lines.file(f.line), self.lines.line(f.line))
        m = self.reader.module(place[0]) if place else None
        if m is None:
            return
        scopes = [m.scope(node) for node in m.at(place[1], ast.stmt)][:1] + [m.tree]
        for scope in scopes:
            call = next((n for n in ast.walk(scope) if isinstance(n, ast.Call) and _called(n.func) == "tee" and n.args), None)
            if call is not None:
                break
        else:
            return
        f.line, f.site = self.line_at(place[0], call.lineno, f.line), None
        h.mark = call.lineno, call.col_offset, call.end_col_offset if call.end_lineno == call.lineno else -1
        h.note = f"one is read ahead; {count(n)} buffers wait for the other"
        stmt = m.statement(call)
        names = stmt.targets[0].elts if isinstance(stmt, ast.Assign) and stmt.value is call and isinstance(stmt.targets[0], ast.Tuple) else ()
        if names and len(call.args) == 1:
            words = " = ".join(m.text(x) for x in names)
            h.patch = m.change(stmt.lineno, f"{m.indent(stmt.lineno)}{words} = list({m.text(call.args[0])})")

    def _kept_s1(self, f, h, kind, n):
        facts = f.facts
        h.title = h.short = f"many {kind} with a dict each"
        h.culprit = kind
        h.note = f"{count(n)} of them, {facts['now']:.0f}{NBSP}B each"
        h.evidence = f"computed on all {count(n)}: {facts['now']:.0f}{NBSP}B each, {facts['then']:.0f}{NBSP}B with slots"
        self.lead(f.way, [facts.get("type", "")])
        made = self.module_file(facts.get("type", ""))
        h.fix = "give the class slots" if made is None or self.sources.kind(made) == "own" else f"keep fewer of them: {kind} is a library's class, and not to be changed here"
        h.held = ""
        for file in self.files([f.line]):
            m = self.reader.module(file)
            node = next((k for k in (m.parent if m is not None else ()) if isinstance(k, ast.ClassDef) and k.name == kind), None)
            if node is None:
                continue
            data = next((d for d in node.decorator_list if "dataclass" in m.text(d)), None)
            if data is not None:
                words = m.text(data)
                new = words[:-1] + (", " if words[-2] != "(" else "") + "slots=True)" if words.endswith(")") else words + "(slots=True)"
                h.patch = m.change(data.lineno, f"{m.indent(data.lineno)}@{new}")
            else:
                by_dict = any(isinstance(n, ast.Attribute) and n.attr == "__dict__" or isinstance(n, ast.Call) and _called(n.func) == "vars" for n in m.parent)
                names = () if by_dict else list(
                    dict.fromkeys(
                        n.attr
                        for n in ast.walk(node)
                        if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and isinstance(n.value, ast.Name) and n.value.id == "self"
                    )
                )
                if names:
                    first = node.body[0]
                    h.patch = [(first.lineno, "+", f"{m.indent(first.lineno)}__slots__ = ({', '.join(map(repr, names))},)")]
            f.line, f.site = self.line_at(file, node.lineno, f.line), None
            h.mark = node.lineno, node.col_offset, -1
            return

    def _kept_s5(self, f, h, kind, n):
        facts = f.facts
        what = facts["kind"]
        if what == "dict":
            h.title = "a list of dicts with the same keys"
            h.fix = f"objects with slots instead of dicts; columns save {size(facts['columns'])}, but are ten times slower by row"
            h.note = f"{count(facts['elements'])} dicts, each with a table of its own"
        else:
            h.title = f"a list of {what}s"
            code = "q" if what == "int" else "d"
            h.fix = f"array('{code}', ...), or a numpy array"
            h.note = f"{count(facts['elements'])} {what}s, an object and a pointer each"
        h.evidence = f"computed on {count(facts['number'])} list{'s' if facts['number'] != 1 else ''} with {count(facts['elements'])} elements: {size(f.bytes)} now, {size(f.bytes - f.saves)} then"

    def _kept_s3(self, f, h, kind, n):
        h.title = "the same text many times"
        h.note = f"{count(n)} texts that stand elsewhere already"
        h.evidence = f"computed on all of them: each is equal to one that stays, {size(f.bytes / n)} on average"
        column = any(what.partition(".")[0] == "pandas" for _, what in steps(f.way))
        h.fix = "astype('category')" if column else "keep one of each: sys.intern(text), or a dict of those seen"

    def _kept_s2(self, f, h, kind, n):
        h.title = "a table that was emptied keeps its room"
        what = KINDS.get(f.facts.get("type", ""), "dict")
        table = h.culprit.rpartition(".")[2].partition(" of ")[0]
        h.fix = f"make it anew when it was emptied: {table} = {what}({table})"
        h.note = f"{count(f.facts['elements'])} entries in room for {count(f.facts['room'])}"
        h.evidence = f"{h.note}, in {count(n)} table{'s' if n != 1 else ''}: {size(f.bytes)}"
        name = name_of(f.way)[1]
        for file in self.files([f.line]) if name else ():
            m = self.reader.module(file)
            for node in m.parent if m is not None else ():
                where = None
                if isinstance(node, ast.Delete):
                    where = next((t for t in node.targets if isinstance(t, ast.Subscript) and _called(t.value) == name), None)
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in EMPTY and _called(node.func.value) == name:
                    where = node
                if where is not None:
                    f.line, f.site = self.line_at(file, where.lineno, f.line), None
                    h.mark = where.lineno, where.col_offset, where.end_col_offset if where.end_lineno == where.lineno else -1
                    return

    def _kept_s4(self, f, h, kind, n):
        h.title = "a column of few different objects"
        h.fix = "astype('category')"

    def _kept_s7(self, f, h, kind, n):
        h.title = "wide records of defaults"
        h.evidence = f"{count(n)} dicts whose values are nearly all one and the same object"
        h.note = f"{count(n)} dicts, {count(f.facts['elements'])} entries"
        h.fix = "keep the defaults once: ChainMap(given, DEFAULTS), or attributes of the class"

    def _kept_s6(self, f, h, kind, n):
        facts = f.facts
        h.title = "room that was reserved and not used"
        h.note = f"{count(n)} {kind}{'s' if n != 1 else ''}, {count(facts['elements'])} entries in room for {count(facts['room'])}"
        h.evidence = f"computed on {'all of them' if n != 1 else 'it'}: {size(f.bytes)} of tables now, {size(f.bytes - f.saves)} then"
        h.fix = "copy it when it is done: tuple(x), or x[:]"

    def _kept_c7(self, f, h, kind, n):
        h.title = "a weak dictionary whose values hold their keys"
        h.note = f"{count(f.facts['held'])} of {count(f.facts['entries'])} values reach their own key"
        h.evidence = h.note
        h.fix = "keep the data on the object itself, or refer weakly from the value"


def extensions(process):
    """The names of the modules that are shared objects, by the last snapshot in a recording."""
    for prefix in ("exit_", "peak_"):
        if not _core.snap_there(process.file, prefix):
            continue
        try:
            snap = _core.snap(process.file, prefix)
            types = snap.types()
            out = []
            for _, space, name, _ in snap.modules():
                loader = next((node for word, node, _ in snap.namespace(space, 0) if word == "__loader__"), 0)
                if name and loader and types[snap.node(loader)[0]][0].endswith("ExtensionFileLoader"):
                    out.append(name)
            return out
        except _core.Error:
            continue
    return []


def circle_steps(way):
    """[(owner's type, name of the reference)] with an instance's __dict__ left out."""
    out = [(what, label) for label, _, what, _, _ in way]
    if len(out) > 1 and out[0][0] == "dict" and out[-1][1] == ".__dict__":
        out = [(out[-1][0], _attribute(out[0][1])), *out[1:-1]]
    merged, skip = [], False
    for n, (what, label) in enumerate(out):
        if skip:
            skip = False
            continue
        if label == ".__dict__" and n + 1 < len(out) and out[n + 1][0] == "dict":
            merged.append((what, _attribute(out[n + 1][1])))
            skip = True
        else:
            merged.append((what, label))
    for n, (what, label) in enumerate(merged):  # a frame's variable is what its author can change
        if " in " in what and label != "f_back":
            return merged[n:] + merged[:n]
    for n, (what, _) in enumerate(merged):  # begin with an object that has a name, not with what it holds its things in
        if what not in KINDS and what not in ("cell", "traceback", "method", "builtin_function_or_method"):
            return merged[n:] + merged[:n]
    return merged or out


def _attribute(label):
    return "." + label[2:-2] if label.startswith("['") else label


def circle_words(chain):
    """'Node.parent ⇄ Node.children[…]'; steps that say nothing to a reader (a traceback's frame, a frame's caller, the tuple
    and the cell of a closure) are left out where two others remain."""
    parts, inner = [], []
    for what, label in chain:
        if label.startswith("[") and label != "[…]":
            label = "[…]" if label[1:2] != "'" else label
        if parts and (what in KINDS or what == "cell") and chain[0][0] not in KINDS:
            if not parts[-1].startswith("closure of "):
                parts[-1] += label
            continue
        if " in " in what:
            parts.append(f"{label} of {scope(what)}")
            if label == "f_back":
                inner.append(parts[-1])
        elif what.startswith("function"):
            name = short_type(what.partition(" ")[2]) or "a function"
            parts.append(f"closure of {name}" if label == ".__closure__" else name + label)
        else:
            parts.append(f"{short_type(what)}{label if label[:1] in '.[{' else '.' + label}")
            if what == "traceback":
                inner.append(parts[-1])
    if len(parts) - len(inner) >= 2:
        parts = [part for part in parts if part not in inner]
    if len(parts) < 2:
        return parts[0] + " (itself)" if parts else ""
    return f"{parts[0]} ⇄ {' → '.join(parts[1:4])}" + (" → …" if len(parts) > 4 else "")


def scope(what):
    """'load.<locals>.inner in app.py' -> 'inner', 'Group.__aexit__ in app.py' -> 'Group.__aexit__'."""
    return what.partition(" in ")[0].rpartition("<locals>.")[2]


def _filled(node):
    """The container that a statement fills: `groups` of groups[key].append(x), groups[key][other].add(x)."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return _called(node)


def _dotted(node):
    """'atexit.register' of a Name or Attribute of one; '' of anything else."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _root(node):
    """The first name of malloc.argtypes, ctypes.CDLL(None).malloc, table[0].parse; '' of anything else."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _called(node):
    """The last name of a Name or Attribute."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


__all__ = ["Keepers", "Holder", "Pattern", "path_words", "name_of", "steps"]
