"""A snapshot, read: who holds what, and why. The figures are made in C (`_core.Snap`); here they get names.

    snap = Snapshot.open("run.memsure")
    snap.holders()                    who holds most: a tree of Steps, brothers of one kind merged
    snap.why("shop.cache.Product")    the way from the root to these objects, the edge to cut, who else refers
    snap.types(), .lines(), .modules(), .variables(), .cycles(), .growing(), .containers(), .equal(),
    .unexplained(), .raw()            tables, largest first
    Diff(before, after)               what changed between two snapshots

All bytes are exact integers: `bytes` as allocated, `said` as sys.getsizeof says, `retained` what would be freed
with the object. Texts of data are shown only if the snapshot holds them (--values); a key without its text
is `[str]`, several are `['…'] ×N`.

Nothing here loops over objects; what does is in src/graph and src/py/snap.c.
"""

import os

from .recording import BEFORE, NO_FRAME, OURS, RECORD, Unreadable, foreign, instead
from .source import Sources

PREFIXES = (("", "call"), ("exit_", "exit"), ("peak_", "peak"))
(NONE, FIELD, INDEX, VALUE, KEY, MEMBER, OPAQUE, NAMED, INDIRECT) = range(9)  # ms_label_kind
BUILT = {"type", "module", "function", "dict", "tuple", "list", "cell", "builtin_function_or_method", "getset_descriptor", "code",
         "wrapper_descriptor", "method_descriptor", "classmethod", "staticmethod", "property", "mappingproxy", "ModuleSpec",
         "_frozen_importlib.ModuleSpec", "member_descriptor", "set", "weakref", "weakref.ReferenceType", "_abc._abc_data"}
IMPORTED = {"module", "type", "function", "code", "abc.ABCMeta", "ABCMeta", "builtin_function_or_method", "property", "staticmethod",
            "classmethod", "wrapper_descriptor", "getset_descriptor", "method_descriptor"}
NORMAL, GLOBALS, TYPE, WEAK = range(4)  # kinds of edges
SEVERAL = 0xFFFFFFFF
PSEUDO = 4  # types.flags
DICT = "__dict__"
HIDDEN = ("root", "interpreter", "held outside Python", "immortal objects", "modules", "cyclic garbage")  # groups that are no step to a reader
SHARE = 0.01  # a holder below this share of all is not followed
WIDE = 20_000  # nor is a row of more objects than this, in a summary


class Counted(Unreadable):
    """A snapshot that had too little memory for references: objects are counted by type and line. `rows`: (type, file, line,
    objects, bytes), most bytes first."""

    def __init__(self, file, shown, prefix):
        super().__init__(f"{shown} counts objects only: there was too little memory for who holds whom", f"memsure snapshot {shown}")
        self.info, self.rows = {}, []
        try:
            column = lambda table, name: list(file.column(prefix + table, name))  # noqa: E731
            offsets, data = column("strings", "offsets"), bytes(column("strings", "data"))
            texts = [data[a:b].decode(errors="replace") for a, b in zip(offsets, offsets[1:])]
            self.info = {texts[k]: texts[v] for k, v in zip(column("snap_info", "key"), column("snap_info", "value"))}
            names, files, lines = column("types", "name"), column("sites", "file"), column("sites", "line")
            types, room = column("shapes", "type"), column("shapes", "allocated")
            sums = {}
            for shape, site, count in zip(*(column("counts", c) for c in ("shape", "site", "count"))):
                row = sums.setdefault((texts[names[types[shape]]], texts[files[site]], max(0, lines[site])), [0, 0])
                row[0] += count
                row[1] += count * room[shape]
        except Exception as e:      # a damaged file: columns that are missing, numbers that point nowhere
            raise Unreadable(f"no snapshot can be read from {shown}: {file.damage or 'a table is missing or damaged'}") from e
        self.rows = sorted(((*key, *row) for key, row in sums.items()), key=lambda r: (-r[4], r))


class Site:
    """A line of code that made objects. `known` is false where nobody saw the birth."""

    __slots__ = ("row", "file", "function", "line", "place", "known")

    def __init__(self, row, file, function, line, flags, sources):
        self.row, self.file, self.function, self.line = row, file, function, max(0, line)
        self.known = bool(row)
        if not row:
            self.place = "(birth not seen)"
        elif flags & OURS:
            self.place = "(memsure itself)"
        elif flags & BEFORE:
            self.place = "(before Python started)"
        elif flags & NO_FRAME or not file:
            self.place = "(no Python frame)"
        else:
            self.place = sources.place(file, self.line)

    def data(self):
        return {"file": self.file, "line": self.line, "function": self.function} if self.known else None


class Step:
    """Objects of one type that are reached alike: a row of a tree of merged steps.

    `text` is how code would write the step (`.CATALOG`, `['…']`), `name` what stands there (`module shop`), `path` the texts from the
    top down. A tree has many more steps than anybody reads: words are found when they are asked for.
    """

    __slots__ = ("above", "below", "label", "value", "key", "type", "example", "born", "more_sites", "folded", "entries", "targets", "weight",
                 "here", "dead", "hidden", "count", "bytes", "said", "retained", "retained_said", "_snap", "_text", "_name", "_path")

    @property
    def site(self):
        return self._snap.site(self.born)

    @property
    def name(self):
        if self._name is None:
            self._name = self._snap.describe(self.example) if self.count == 1 or self.type is None else self.type
        return self._name

    @property
    def text(self):
        if self._text is None:
            self._text = self._snap._word(self)
        return self._text

    @property
    def path(self):
        if self._path is None:
            self._path = [*self.above.path, self.text] if self.above is not None else []
        return self._path

    def called(self, text):
        """Name it otherwise, as a step with nothing above."""
        self._text = self._name = text
        self._path = [text]

    def data(self, deep=True):
        out = {"path": list(self.path), "type": self.name if self.type is None else self.type, "objects": self.count, "bytes": self.bytes,
               "retained_bytes": self.retained, "said_bytes": self.said, "entries": self.entries, "born": self.site.data()}
        if deep:
            out["holds"] = [b.data() for b in self.below]
        return out


class Snapshot:
    """A snapshot file, or one of the snapshots in a recording."""

    def __init__(self, core, path, moment, around=None, file=None, prefix=""):
        self.core, self.file, self.prefix = core, file, prefix
        self.path = path
        self.info = {**(around or {}), **core.info()}
        self.moment = self.info.get("moment") or moment
        self.sources = Sources(self.info.get("cwd") or _cwd(), self.argv, self.number("taken_unix_ns"))
        self._types = core.types()
        self._site_rows = None
        self._sites = {}
        self._variables = None
        self._namespaces = None
        self._modules = None
        self._classes = None
        self._attributes = {}   # string: whether it is "__dict__"

    @classmethod
    def open(cls, path, at=None):
        """Open a file; `at` chooses between those of a recording ('exit', 'peak'). Unreadable says why not."""
        from . import _core

        shown = os.fspath(path)
        if os.path.isdir(path):
            return cls._of_folder(shown, at)
        if not os.path.exists(path):
            raise Unreadable(f"'{shown}' does not exist", instead(shown).replace("report", "snapshot", 1))
        try:
            file = _core.open(shown)
        except (_core.Error, OSError) as e:
            why = foreign(path)
            hint = instead(shown).replace("report", "snapshot", 1)
            raise Unreadable(f"{shown} is not a memsure file ({why})" if why else str(e), hint) from None
        there = [(prefix, moment) for prefix, moment in PREFIXES if _core.snap_there(file, prefix)]
        chosen = [p for p in there if at is None or p[1] == at or not p[0] and at == "call"]
        if not chosen:
            if there:
                raise Unreadable(f"{shown} holds no snapshot of the {at}; it has one of: {', '.join(m for _, m in there)}",
                                 f"memsure snapshot {shown} --at {there[0][1]}")
            for prefix, moment in PREFIXES:
                if prefix + "counts" in file.tables and at in (None, moment):
                    raise Counted(file, shown, prefix)
            damage = file.damage
            if damage:
                raise Unreadable(f"no snapshot can be read from {shown}: {damage}", f"memsure report {shown}" if "sites" in file.tables else RECORD)
            raise Unreadable(f"{shown} holds no snapshot", "memsure run --snapshot=exit app.py")
        try:
            return cls(_core.snap(file, chosen[0][0]), shown, chosen[0][1], _around(file, shown), file, chosen[0][0])
        except _core.Error as e:
            text = str(e)
            raise Unreadable(f"{shown}: {text}" if shown not in text and os.path.basename(shown) not in text else text) from None

    @classmethod
    def _of_folder(cls, path, at):
        """Of a session's folder: the process with the largest file that has one."""
        names = sorted((n for n in os.listdir(path) if n.endswith(".memsure")), key=lambda n: -os.path.getsize(os.path.join(path, n)))
        first = None
        for name in names:
            try:
                return cls.open(os.path.join(path, name), at)
            except Unreadable as e:
                first = first or e
        raise first or Unreadable(f"{path} holds no snapshots", "memsure run --snapshot=exit app.py")

    # -- facts

    def number(self, key, default=0):
        try:
            return int(self.info.get(key, default))
        except ValueError:
            return default

    @property
    def argv(self):
        import json

        try:
            return [str(w) for w in json.loads(self.info.get("argv") or "[]")]
        except ValueError:
            return []

    @property
    def program(self):
        for word, follows in zip(self.argv[1:], [*self.argv[2:], ""]):
            if word in ("-c", "-m"):
                return f"-m {follows}" if word == "-m" else word
            if not word.startswith("-"):
                return os.path.basename(word)
        return os.path.basename(self.argv[0]) if self.argv else "python"

    @property
    def objects(self):
        return self.core.objects

    @property
    def bytes(self):
        """All objects together, as allocated."""
        return self.core.bytes()

    @property
    def values(self):
        return self.info.get("values") == "1"

    def age(self, birth):
        """Seconds since a birth."""
        return max(0, self.core.epoch - birth) * self.core.epoch_ns / 1e9

    # -- names

    def type_name(self, row):
        return self._types[row][0] if row < len(self._types) else "?"

    def pseudo(self, row):
        return bool(self._types[row][3] & PSEUDO)

    def _site_table(self):
        if self._site_rows is None:
            self._site_rows = self.core.sites()
        return self._site_rows

    def site(self, row):
        found = self._sites.get(row)
        if found is None:
            rows = self._site_table()
            file, function, line, _, _, _, flags = rows[row] if row < len(rows) else (0, 0, -1, -1, -1, -1, 0)
            text = self.core.text
            found = self._sites[row] = Site(row, text(file), text(function), line, flags, self.sources)
        return found

    def label(self, kind, value, count=1, key=0):
        """How code would write an edge: '.name', '[3]', "['eu']", "['…'] ×12". key: of one of several."""
        times = f" ×{_count(count)}" if count > 1 else ""
        if kind == FIELD:
            return ("." + self.core.text(value) if value != SEVERAL else ".…") + times
        if kind == NAMED:
            return self.core.text(value) + times
        if kind == INDEX:
            return f"[{value}]" if value != SEVERAL and not times else f"[i]{times}" if times or value == SEVERAL else "[i]"
        if kind == VALUE:
            if value == SEVERAL:
                type, text = self.core.name(key) if key else (0, None)
                name = self.type_name(type) if key else ""
                if text is not None:
                    return f"[{self.key(key)}, …]{times}" if count > 1 else f"[{self.key(key)}]"
                return (f"['…']" if name == "str" else f"[{name}]" if name else "[…]") + times
            return f"[{self.key(value)}]{times}"
        return {KEY: "key", MEMBER: "member", OPAQUE: "part", INDIRECT: "shared"}.get(kind, "") + times

    def key(self, node):
        """A dict's key, if its text is known; else its type."""
        type, text = self.core.name(node)
        name = self.type_name(type)
        if text is None:
            return name
        return _quoted(text) if name == "str" else text

    def describe(self, node):
        """What a node is, by itself: 'module shop', 'class Product', 'main in app.py', or its type."""
        type, text = self.core.name(node)
        name = self.type_name(type)
        if text is not None:
            if self.pseudo(type):
                return text
            if name in ("module", "function", "code"):
                return f"{name} {text}"
            if self.is_class(node, type):
                return f"class {text}"
        return name

    def is_class(self, node, type):
        if not self._types[type][0].endswith("type") and "Meta" not in self._types[type][0]:
            return False
        if self._classes is None:
            self._classes = {t[1] for t in self._types}
        return node in self._classes

    # -- trees

    def _tree(self, rows, inner=False, least=0):
        """Steps from core tuples -> the root; namespaces are left out (their entries are attributes). inner: the root is an
        object, not the root of all. least: what an object holds less than so much through is left out."""
        steps = []
        for row in rows:
            above = steps[row[0]] if steps else None
            if row[12] < least and not self._at_top(above):
                steps.append(None)      # nothing is below it
                continue
            s = Step()
            (_, _, s.label, s.value, s.key, type, s.example, s.born, s.more_sites, s.folded, s.entries, s.targets, s.weight, s.here, sums) = row
            s.count, s.bytes, s.said, s.retained, s.retained_said = sums
            s.below, s.above, s._snap, s._text, s._name, s._path = [], above, self, None, None, None
            s.type = None if self.pseudo(type) else self.type_name(type)
            s.hidden = not inner if above is None else self._hidden(s)
            s.dead = above is not None and (above.dead or s.type is None and s.name == "cyclic garbage")
            if above is not None:
                above.below.append(s)
            steps.append(s)
        steps = [s for s in steps if s is not None]
        for s in steps:
            if s.above is not None and s.hidden:
                up = s.above
                while up.hidden and up.above is not None:
                    up = up.above
                for b in s.below:
                    b.above = up
                up.below.remove(s)
                if up.type == "module":     # whoever else holds its variables (a frame does): they are the module's
                    up.retained, up.retained_said = max(up.retained, s.retained), max(up.retained_said, s.retained_said)
                if s.here:
                    up.here += s.here
                up.below += s.below
        for s in steps:
            if s.type is None and s.name and s.name.startswith("thread ") and s.below and not s.here:
                frame = max(s.below, key=lambda b: b.retained)
                if frame.type is None and 100 * frame.retained >= 99 * s.retained:    # its other frames do not matter
                    frame.above = s.above
                    frame._name = f"{s.name}: {self._frame(frame)}"
                    s.above.below[s.above.below.index(s)] = frame
                    s.above = None
        root = steps[0]
        root._path = []
        return root

    @staticmethod
    def _at_top(s):
        """Whether what is below this step is told as held by the root."""
        while s is not None and s.hidden:
            s = s.above
        return s is None

    def _hidden(self, s):
        """Steps that are no step to a reader: groups, sys.modules, an instance's dict."""
        if s.type is None:
            return s.name in HIDDEN
        if s.label == FIELD:
            return self._is_dict(s.value)
        return s.label == NAMED and s.type == "dict" and self.core.text(s.value) == "sys.modules"

    def _is_dict(self, string):
        """Whether this is the name of the field __dict__."""
        found = self._attributes.get(string)
        if found is None:
            found = self._attributes[string] = string != SEVERAL and self.core.text(string) == DICT
        return found

    def _word(self, s):
        """How code would write a step."""
        above, top = s.above, s.above is not None and s.above.above is None and s.above.hidden     # top: it is held by the root itself
        if s.type == "module" and (top or s.label == VALUE):
            return s.name if s.count == 1 else f"modules ×{_count(s.count)}"
        if s.type is None and above is not None:
            return self._frame(s)
        if s.label == INDIRECT:
            return self._shared(s, top)
        text = self.label(s.label, s.value, s.count if s.label in (INDEX, VALUE, KEY, MEMBER, OPAQUE) or s.folded else 1, s.key)
        if top and s.label in (NAMED, OPAQUE, KEY, MEMBER, VALUE, INDEX):
            what = ("(dead)" if s.dead else text) if s.label == NAMED else s.name if s.count == 1 else f"{_short(s.name)} ×{_count(s.count)}"
            if not what:
                what = f"{_short(s.name)}{f' ×{_count(s.count)}' if s.count > 1 else ''} (of the interpreter)"
            return what + (" (dead)" if s.dead else " (held outside Python)") * (s.label == OPAQUE)
        return text

    def _shared(self, s, top):
        """What several hold together: by its own name, or by the names of two that hold it."""
        times = f" ×{_count(s.count)}" if s.count > 1 else ""
        if s.count == 1:
            module = self.namespaces.get(s.example)
            if module is not None:
                return f"module {module}"
            names = self.variables_of(s.example)
            if names:
                return names[0]
            if s.name != s.type:
                return s.name
        if top:
            return f"{'classes' if s.type == 'type' and times else _short(s.name)}{times} (shared)"
        owners = self._owners(s.above.example, s.example)
        if len(owners) == 2 and owners[0] != owners[1]:
            return f"in {owners[0]} and {owners[1]}{times}"
        return f"shared{times}"

    def _owners(self, top, node, most=2):
        """Names of two that hold a node, as seen from what dominates it: ['.CACHE', '.STORE.items']."""
        out = []
        for owner, _, kind, _, _ in self.core.referrers(node, 20):
            if kind != NORMAL:
                continue
            words, at = "", owner
            for _ in range(8):
                if at in (top, 0):
                    break
                up = self.core.node(at)[9]
                edge = self.core.edge(up, at)
                if edge is None:
                    words = None
                    break
                label = self._edge_word(edge)
                words = label + words
                at = up
            if words and at == top:
                words = _without_keys(words)
                if words in out:
                    continue
                out.append(words)
                if len(out) == most:
                    break
        return out

    def _edge_word(self, edge):
        """'.name' of an edge; '' of one to a namespace."""
        owner, _, _, kind, value = edge
        if kind == FIELD and self._is_dict(value):
            return ""
        if kind == VALUE and (owner in self.namespaces or self._is_attributes(owner)):
            word = self.key(value)
            return "." + word[1:-1] if word[:1] == "'" else f"[{word}]"
        return self.label(kind, value)

    def _is_attributes(self, node):
        """Whether a dict is the __dict__ of what dominates it."""
        edge = self.core.edge(self.core.node(node)[9], node)
        return edge is not None and edge[3] == FIELD and self._is_dict(edge[4])

    def _frame(self, s):
        """'load (shop/img.py:77)' of a frame; a thread with one frame that matters is one row."""
        if s.count > 1:
            return f"frames ×{_count(s.count)}" if " in " in s.name else f"{s.name} ×{_count(s.count)}"
        if " in " not in s.name or not s.site.known:
            return s.name
        return f"{s.name.partition(' in ')[0]} ({s.site.place})"

    def holders(self, least=None, small=True):
        """Who holds most: the dominator tree from the top -> the root Step. small: with what is too small to be followed."""
        rows = self.core.tops() if least is None else self.core.holders(0, least, 12, WIDE)
        if least is None:
            least = max(1, int(self.bytes * SHARE))
        root = self._tree(rows, least=0 if small else least)
        self._fold_imports(root, least, small)
        self._sort(root)
        return root

    def _fold_imports(self, root, least, small):
        """Modules, classes and functions that are no holders of their own are one row: what importing brought."""
        found = [s for s in root.below if s.type is not None and (s.type in IMPORTED or s.type.endswith(("Meta", "MetaClass", "type")))
                 and (s.count > 1 or s.text.startswith("class "))]
        if len(found) < 2 or not any(s.type == "module" for s in found):
            return
        first = max(found, key=lambda s: s.type == "module")
        holders = self._keepers({s.name for s in root.below if s.type == "module" and s.count == 1}, least, small)
        modules = sum(s.count for s in found if s.type == "module") - len(holders)
        for s in found:
            if s is not first:
                for name in ("count", "bytes", "said", "retained", "retained_said", "entries"):
                    setattr(first, name, getattr(first, name) + getattr(s, name))
                root.below.remove(s)
        first.called(f"imported code, {_count(modules)} modules")
        first.below, first.entries = [], 0
        for s in holders:
            for name in ("count", "bytes", "said", "retained", "retained_said"):
                setattr(first, name, getattr(first, name) - getattr(s, name))
            s.above = root
            root.below.append(s)

    def _keepers(self, told, least, small):
        """Modules that keep so much data in a variable, other than those told already: they are no imported code -> [Step]."""
        names = {self.namespaces.get(dominator) for _, _, _, type, dominator, _ in self.core.variables(least) if self.type_name(type) not in IMPORTED}
        out = []
        for name, node, _ in self.modules():
            if name in names and f"module {name}" not in told:
                top = self._tree(self.core.holders(node, least, 8, WIDE), True, 0 if small else least)
                top.called(f"module {name}")
                out.append(top)
        return out

    def _sort(self, root):
        waiting = [root]
        while waiting:
            s = waiting.pop()
            s.below.sort(key=lambda b: -b.retained)
            waiting += s.below

    # -- tables

    def types(self, garbage=False):
        """[(name, count, bytes, said, retained, retained said)], most retained first."""
        rows = [(self.type_name(row), *sums) for row, sums in self.core.sums("type", True, garbage)]
        return sorted(rows, key=lambda r: (-r[2], r[0]))

    def lines(self, garbage=False):
        """[(Site, count, bytes, said, retained, retained said)] by line of birth; instructions of one line together are added."""
        rows = [(self.site(row), *sums) for row, sums in self.core.sums("site", True, garbage)]     # none, where no birth was seen
        joined = {}
        for site, *sums in rows:
            key = (site.file, site.line, site.function, site.place)
            known = joined.get(key)
            joined[key] = (site, *sums) if known is None else (known[0], *(a + b for a, b in zip(known[1:], sums)))
        return sorted(joined.values(), key=lambda r: (-r[2], r[0].place))

    def _module_rows(self):
        if self._modules is None:
            self._modules = self.core.modules()
        return self._modules

    def modules(self):
        """[(name, node, retained)] of all modules, most first."""
        return sorted(((name, node, retained) for node, _, name, retained in self._module_rows()), key=lambda r: (-r[2], r[0]))

    def variables(self, least=None):
        """[(module, name, node, retained, [other names])]: module-global variables, most retained first, each object once."""
        if least is None:
            least = max(512, int(self.bytes * 0.0001))
        found = {}
        for namespace, name, node, _, _, retained in self.core.variables(least):
            found.setdefault(node, []).append((self.namespaces.get(namespace, ""), name, retained))
        modules = {node for node, _, _, _ in self._module_rows()}
        out = []
        for node, names in found.items():
            if node in modules:
                continue
            names.sort(key=lambda n: (n[1].startswith("__"), len(n[0]), n))
            module, name, retained = names[0]
            out.append((module, name, node, retained, [f"{m}.{n}" for m, n, _ in names[1:]]))
        return sorted(out, key=lambda r: (-r[3], r[0], r[1]))

    @property
    def namespaces(self):
        """{dict: the name of its module}"""
        if self._namespaces is None:
            self._namespaces = {d: name for _, d, name, _ in self._module_rows() if d}
        return self._namespaces

    def variables_of(self, node):
        """['shop.CATALOG', ...]: the module variables that are this object."""
        if self._variables is None:
            least = max(1, int(self.bytes * SHARE / 10))
            self._variables = {n: [f"{m}.{v}", *others] for m, v, n, _, others in self.variables(least)}
        return self._variables.get(node, [])

    def cycles(self, most=20):
        """(how many forms, [Cycle]): circles of one form together, those that hold most first."""
        forms, rows = self.core.cycles(most)
        return forms, [Cycle(self, *row) for row in rows]

    def growing(self, least=64, most=20):
        """[(node, entries, oldest age, newest age, parts)] of the containers that grow, those that hold most first."""
        return [(node, entries, self.age(oldest), self.age(newest), parts)
                for node, grows, entries, oldest, newest, parts in self.core.growing(least, most) if grows]

    def unexplained(self):
        """[(type name, Site, example, objects, refs)]: references that no object is known to hold, most first."""
        rows = [(self.type_name(t), self.site(s), node, objects, refs) for t, s, node, objects, refs in self.core.unexplained()]
        return sorted(rows, key=lambda r: (-abs(r[4]), r[0]))

    def containers(self, most=20):
        """[(type name, Site, containers, used, room, bytes of unused room)] with room to spare, most first."""
        rows = [(self.type_name(t), self.site(s), *rest) for t, s, *rest in self.core.spare()]
        return sorted(rows, key=lambda r: (-r[5], r[0]))[:most]

    def equal(self, most=20):
        """[(type name, count, bytes each, example)]: equal immutable values, the most wasteful first."""
        rows = [(self.type_name(t), count, each, node) for t, node, count, each in self.core.table("equal", "type", "example", "count", "bytes")
                if 0 < node <= self.objects and count > 0]
        return sorted(rows, key=lambda r: (-(r[1] - 1) * r[2], r[0]))[:most]

    def raw(self):
        """[(Site, blocks, bytes)] of memory that no object owns, most first."""
        rows = [(self.site(s), blocks, n) for s, blocks, n in self.core.table("raw", "site", "blocks", "bytes")]
        return sorted(rows, key=lambda r: (-r[2], r[0].place))

    # -- for data frames

    ROWS = ("types", "lines", "modules", "variables", "unexplained")    # made here; all others are columns of the file
    TEXTS = {("snap_info", "key"), ("snap_info", "value"), ("sites", "file"), ("sites", "function"), ("types", "name"), ("fields", "name"),
             ("labels", "name"), ("texts", "text")}

    @property
    def tables(self):
        """The names that table() takes."""
        n = len(self.prefix)
        raw = {t[n:] for t in self.file.tables if t.startswith(self.prefix)} & RAW
        return sorted(set(self.ROWS) | raw - {"types"})

    def table(self, name):
        """A table for pyarrow.table(), polars.DataFrame(), DuckDB or pandas (by __arrow_c_stream__).

        'objects', 'edges', 'sites', 'shapes' and the others of docs/FORMAT.md are the file's own columns, not copied; texts come as a
        dictionary over the file's strings. 'types', 'lines', 'modules', 'variables' and 'unexplained' are rows of figures.
        """
        from . import _core

        if name in self.ROWS:
            return _core.Table(getattr(self, "_rows_" + name)())
        columns = self.file.tables.get(self.prefix + name)
        if name not in self.tables or not columns:
            raise KeyError(f"no table {name}; there are {', '.join(self.tables)}")
        out = []
        for column, (_, _, width) in columns.items():
            if width == 1:
                values = self.file.column(self.prefix + name, column)
                if (name, column) in self.TEXTS:
                    values = (values, self.file.column(self.prefix + "strings", "offsets"), self.file.column(self.prefix + "strings", "data"))
                out.append((column, values))
        return _core.Table(out)

    SUMS = ("objects", "bytes", "said_bytes", "retained_bytes", "retained_said_bytes")

    def _rows_types(self):
        rows = self.types()
        return [("type", _texts(r[0] for r in rows)), *_figures(self.SUMS, [r[1:] for r in rows])]

    def _rows_lines(self):
        rows = self.lines()
        return [("file", _texts(r[0].file for r in rows)), ("line", _numbers("i", [r[0].line for r in rows])),
                ("function", _texts(r[0].function for r in rows)), ("place", _texts(r[0].place for r in rows)),
                *_figures(self.SUMS, [r[1:] for r in rows])]

    def _rows_modules(self):
        rows = self.modules()
        return [("module", _texts(r[0] for r in rows)), ("retained_bytes", _numbers("Q", [r[2] for r in rows]))]

    def _rows_variables(self):
        rows = self.variables()
        return [("module", _texts(r[0] for r in rows)), ("variable", _texts(r[1] for r in rows)),
                ("type", _texts(self.type_name(self.core.node(r[2])[0]) for r in rows)), ("retained_bytes", _numbers("Q", [r[3] for r in rows]))]

    def _rows_unexplained(self):
        rows = self.unexplained()
        return [("type", _texts(r[0] for r in rows)), ("place", _texts(r[1].place for r in rows)),
                *_figures(("objects",), [(r[3],) for r in rows]), ("references", _numbers("q", [r[4] for r in rows]))]

    # -- why

    def find(self, word):
        """What a user means -> ('type' | 'site' | 'node', [rows], how it is called). Raises NotFound."""
        address = _address(word)
        if address is not None:
            node = self.core.find(address)
            if node is None:
                raise NotFound(f"no object lies at {word} in this snapshot")
            return "node", [node], self.object_name(node)
        file, colon, line = word.rpartition(":")
        if colon and line.isdigit():
            return "site", self._sites_at(file, int(line), word), word
        full = [i for i, t in enumerate(self._types) if t[0] == word]
        if full:
            return "type", full, word
        dotted = word.split(".")
        found = self._variable(dotted)
        if found is not None:
            return "node", [found], word
        short = [i for i, t in enumerate(self._types) if t[0].endswith("." + word)]
        names = sorted({self._types[i][0] for i in short})
        if len(names) > 1:
            counts = {}
            for name, n in self._counts():
                counts[name] = counts.get(name, 0) + n
            names = [n for n in names if counts.get(n)] or names
            short = [i for i in short if self._types[i][0] in names]
        if len(names) > 1:
            names.sort(key=lambda n: -counts.get(n, 0))
            raise NotFound(f"{len(names)} types are called {word}: {', '.join(names[:3])}{' ...' if len(names) > 3 else ''}", names[0])
        if short:
            return "type", short, names[0]
        raise NotFound(*self._nearest(word))

    def _counts(self):
        return [(self.type_name(row), sums[0]) for row, sums in self.core.sums("type", False)]

    def _sites_at(self, file, line, word):
        self._site_table()
        wanted, rows, near = os.path.normpath(file), [], []
        names = {}
        for row, (name, _, at, *_rest) in enumerate(self._site_rows):
            if not row:
                continue
            text = names.get(name)
            if text is None:
                text = names[name] = os.path.normpath(self.core.text(name))
            if text == wanted or text.endswith("/" + wanted):
                if at == line:
                    rows.append(row)
                near.append(at)
        if rows:
            return rows
        if near:
            closest = min(near, key=lambda n: (abs(n - line), n))
            raise NotFound(f"no object that lives here was born at {word}; the nearest line of {file} that some were born at is {closest}",
                           f"{file}:{closest}")
        from difflib import get_close_matches

        known = {self.sources.place(text): text for text in names.values()}
        close = get_close_matches(file, list(known), 1, 0.5)
        raise NotFound(f"no object in this snapshot was born in {file}" + (f"; nearest: {close[0]}" if close else ""),
                       f"{close[0]}:{line}" if close else None)

    def _variable(self, dotted):
        modules = {name: (node, namespace) for node, namespace, name, _ in self._module_rows()}
        for n in range(len(dotted), 0, -1):
            if ".".join(dotted[:n]) in modules:
                node = modules[".".join(dotted[:n])][0]
                for word in dotted[n:]:
                    node = self.core.attribute(node, word)
                    if node is None:
                        break
                if node is not None:
                    return node
        return None

    def _nearest(self, word):
        from difflib import SequenceMatcher

        counts = sorted(self._counts(), key=lambda r: -r[1])
        last = word.rpartition(".")[2].lower()

        def likeness(name):
            return SequenceMatcher(None, last, name.rpartition(".")[2].lower()).ratio()
        close = sorted(((likeness(n), c, n) for n, c in counts), reverse=True)[:3]
        close = [(c, n) for r, c, n in close if r >= 0.6]
        modules = {name: namespace for _, namespace, name, _ in self._module_rows()}
        owner, dot, variable = word.rpartition(".")
        if dot and owner in modules:
            from difflib import get_close_matches

            names = [n for n, _, _ in self.core.namespace(modules[owner], 0)] if modules[owner] else []
            like = get_close_matches(variable, names, 3, 0.5)
            return (f"module {owner} has no variable {variable}" + (f"; nearest: {', '.join(like)}" if like else ""),
                    f"{owner}.{like[0]}" if like else None)
        kind = "variable or type" if dot else "type"
        text = f"no {kind} {word} in this snapshot"
        for module in ("__main__", *sorted(modules)):  # the script's own name, or none, before its variable
            if module in modules and (not dot or module == "__main__") and self._variable([*module.split("."), variable]) is not None:
                return f"{text}; nearest: {module}.{variable}", f"{module}.{variable}"
        if close:
            text += "; nearest: " + ", ".join(f"{_short(n)} ({_count(c)})" for c, n in close)
        return text, close[0][1] if close else None

    def object_name(self, node):
        names = self.variables_of(node)
        return names[0] if names else self.describe(node)

    def why(self, word):
        """Why objects live: by type, 'file:line' of birth, address, or MODULE.NAME."""
        kind, rows, name = self.find(word)
        return Why(self, kind, rows, name, self.core.why(kind, rows))


    def why_rows(self, rows):
        """Why the objects live that were born at these rows of sites."""
        return Why(self, "site", rows, "", self.core.why("site", rows))

    def path_of(self, node):
        """The way to one object, as words: ['module shop', '.CATALOG', '._by_key']."""
        out, edges = [], self.core.way(node)
        for owner, target, _, kind, value in edges:
            type, text = self.core.name(target)
            name = self.type_name(type)
            if self.pseudo(type):
                if text not in HIDDEN:
                    site = self.site(self.core.node(target)[1])
                    function = text.partition(" in ")[0]
                    if " in " in text and out and out[-1].startswith("thread "):
                        out.pop()
                    out.append(f"{function} ({site.place})" if " in " in text and site.known else text)
                continue
            if kind == FIELD and self.core.text(value) == DICT or kind == NAMED and self.core.text(value) == "sys.modules":
                continue
            if name == "module" and kind == VALUE:
                out.append(f"module {text}")
            elif kind == VALUE and self._is_namespace(owner, edges):
                word = self.key(value)
                out.append("." + word[1:-1] if word[:1] == "'" else f"[{word}]")
            else:
                out.append(self.label(kind, value) if out or kind != NAMED else self.core.text(value))
        return out

    def _is_namespace(self, owner, edges):
        return owner in self.namespaces or any(e[1] == owner and e[3] == FIELD and self.core.text(e[4]) == DICT for e in edges)


class NotFound(Exception):
    """There is no such object: a sentence, and what was perhaps meant."""

    def __init__(self, sentence, nearest=None):
        super().__init__(sentence)
        self.nearest = nearest


class Why:
    """The way to some objects, and what it would take to free them."""

    def __init__(self, snap, kind, rows, name, answer):
        self.snap, self.kind, self.rows, self.name = snap, kind, rows, name
        self.count, self.bytes, self.said, self.retained, self.retained_said = answer["sum"]
        self.lost, self.weak, self.garbage = answer["lost"], answer["weak"], answer["garbage"]
        self.others, self.other_refs = answer["others"], answer["other_refs"]
        self.aged, self.oldest, self.newest, self.parts = answer["ages"]
        self.root = snap._tree(answer["steps"])
        self.ends = sorted(self._ends(self.root), key=lambda s: (-s.here, -s.retained))
        self.path = self._path(self.ends[0]) if self.ends else []
        self.cut, self.cut_refs = self._cut()

    def _ends(self, root):
        """The rows in which objects that were asked for stand."""
        out, waiting = [], [root]
        while waiting:
            s = waiting.pop()
            if s.here:
                out.append(s)
            waiting += s.below
        return out

    @staticmethod
    def _path(s):
        out = []
        while s is not None and s.above is not None:
            out.append(s)
            s = s.above
        return out[::-1]

    def _cut(self):
        """The step whose edge, cut, frees the most of what was asked for -> (Step or None, references that it takes)."""
        steps = [s for s in self.path if s.count == 1 and not s.folded]
        if not steps:
            return None, 0
        below = self.snap.core.below(self.kind, self.rows, [s.example for s in steps])
        good = [s for s, n in zip(steps, below) if 10 * n >= 9 * self.count and s.type not in (None, "module")]
        if not good:
            return None, 0
        return good[-1], self.snap.core.outside(good[-1].example)

    def together(self):
        """Where no single object holds them: containers that do so together -> ([expression], bytes freed when they are emptied), or None."""
        if self.cut is not None or self.garbage == self.count or not self.path:
            return None
        core, own = self.snap.core, None
        for s in self.path[:-1]:
            if s.count == 1 and s.type not in (None, "module"):
                own = s.example
        others = [node for _, _, type, node, _, _, owners in self.others if owners == 1 and not self.snap.pseudo(type)]
        if own is None or len(others) != len(self.others) or not 1 <= len(others) <= 3:
            return None
        nodes = [own, *others]
        _, freed, _ = core.freed(nodes)
        return (nodes, freed) if 10 * freed >= 9 * self.retained else None

    def contents(self, least=0.05):
        """What the objects hold: Steps below the last one, as far as they hold a share of it."""
        end = self.path[-1] if self.path else None
        if end is None:
            return []
        if end.count == 1:
            tree = self.snap._tree(self.snap.core.holders(end.example, 1, 1 + 1, 1 << 60), True)
            rows = tree.below
        else:
            top = next((s for s in reversed(self.path[:-1]) if s.count == 1), None)
            if top is None or top.retained < self.retained:
                return []
            tree = self.snap._tree(self.snap.core.holders(top.example, max(1, self.retained // 100), 4, 1 << 60), True)
            found = self._like(tree, end)
            rows = found.below if found else []
        total = end.retained or 1
        return [s for s in sorted(rows, key=lambda s: -s.retained) if s.retained >= least * total]

    @staticmethod
    def _like(tree, end):
        waiting = list(tree.below)
        while waiting:
            s = waiting.pop(0)
            if s.type == end.type and s.count == end.count:
                return s
            waiting += s.below
        return None

    def data(self):
        """As plain JSON values."""
        snap = self.snap
        return {
            "schema": 1,
            "asked": {"kind": {"type": "type", "site": "line", "node": "object"}[self.kind], "name": self.name},
            "objects": self.count, "bytes": self.bytes, "said_bytes": self.said, "retained_bytes": self.retained,
            "garbage_objects": self.garbage,
            "path": [s.data(False) | {"step": s.text, "cut": s is self.cut} for s in self.path],
            "ways": [{"path": s.path, "objects": s.here, "retained_bytes": s.retained} for s in self.ends[:20]],
            "cut": None if self.cut is None else {"path": self.cut.path, "frees_bytes": self.cut.retained, "references": self.cut_refs,
                                                  "born": self.cut.site.data()},
            "together": self._together_data(),
            "others": [{"type": snap.type_name(t), "by": snap.label(k, v), "references": n, "example": f"0x{snap.core.node(node)[3]:x}"}
                       for k, v, t, node, _, n, _owners in self.others],
            "other_references": self.other_refs, "weak_references": self.weak,
            "holds": [s.data(False) for s in self.contents()],
            "ages": None if not self.aged else {"oldest_s": snap.age(self.oldest), "newest_s": snap.age(self.newest), "born": list(self.parts)},
        }


    def _together_data(self):
        found = self.together()
        return found and {"paths": [self.snap.path_of(node) for node in found[0]], "frees_bytes": found[1]}


class Cycle:
    """Circles of one form: (type, edge, type) alike."""

    def __init__(self, snap, garbage, count, sums, members, edges, length):
        self.snap, self.garbage, self.circles, self.members, self.length = snap, garbage, count, members, length
        self.objects, self.bytes, self.said, self.retained, self.retained_said = sums
        self.edges = edges  # [(owner, target, kind, label, value)] of one circle; the first is the one to weaken
        self.steps = []     # [(type name, label, Site of the owner's birth)]
        for owner, _, _, kind, value in edges:
            type, site, *_ = snap.core.node(owner)
            label = snap.label(kind, value)
            if kind in (INDEX, VALUE):
                label = "[i]" if kind == INDEX else label
            self.steps.append((snap.type_name(type), label, snap.site(site)))

    @property
    def of_classes(self):
        """Every class is in a circle with its own tables, every module with its functions: these are of no interest."""
        return all(name in BUILT or name.endswith(("Meta", "Type", ".type")) for name, _, _ in self.steps)

    @property
    def text(self):
        """'Node.parent ⇄ Node.children[i]'. Dicts of instances are left out, containers are part of their owner's step."""
        words, word = [], ""
        for name, label, _ in self._turned():
            if name in ("dict", "list", "tuple", "set", "cell") and word:
                attributes = word.endswith("." + DICT)
                word = word.removesuffix("." + DICT)
                word += label if label[:1] in ".[" else f" {label}"
                if name == "dict" and attributes and label[:2] == "['":
                    word = word[: -len(label)] + "." + label[2:-2]
            else:
                if word:
                    words.append(word)
                word = _short(name) + (label if label[:1] in ".[" else f" {label}")
        if word:
            words.append(word)
        if len(words) == 1:
            return words[0] + " → itself"
        return " ⇄ ".join(words) if len(words) == 2 else " → ".join(words) + " → ..."

    def _turned(self):
        """The circle, begun at an object that is no container; so that the edge to weaken comes first where it can."""
        for i, (name, _, _) in enumerate(self.steps):
            if name not in ("dict", "list", "tuple", "set", "cell"):
                return self.steps[i:] + self.steps[:i]
        return self.steps

    def data(self):
        return {"garbage": self.garbage, "circles": self.circles, "objects": self.objects, "bytes": self.bytes,
                "retained_bytes": self.retained, "text": self.text,
                "edges": [{"type": n, "by": label, "born": s.data()} for n, label, s in self.steps]}


class Diff:
    """What changed from one snapshot to another."""

    LEAST_REFS = 10  # fewer references more than before may be those of the moment

    def __init__(self, before, after):
        self.before, self.after = before, after
        self.bytes = after.bytes - before.bytes
        self.objects = after.objects - before.objects
        self.same_process = before.number("pid") == after.number("pid") and before.number("taken_unix_ns") <= after.number("taken_unix_ns")
        self._ways = {}

    @staticmethod
    def _joined(a, b):
        """{key: (count, bytes, ...)} twice -> [(key, before, after)], the largest change of bytes first; equal ones are left out."""
        none = (0, 0, 0, 0, 0)
        rows = [(k, a.get(k, none), b.get(k, none)) for k in {**a, **b}]
        rows = [r for r in rows if r[1][:2] != r[2][:2]]
        return sorted(rows, key=lambda r: (-abs(r[2][1] - r[1][1]), str(r[0])))

    def types(self):
        return self._joined(*({name: tuple(sums) for name, *sums in _added(s.types())} for s in (self.before, self.after)))

    def lines(self):
        """By line of birth: [((file, line, function), before, after)]."""
        out = []
        for s in (self.before, self.after):
            out.append({(site.file, site.line, site.function, site.place): tuple(sums) for site, *sums in s.lines()})
        return self._joined(*out)

    def holders(self):
        """By path: [(path, before bytes, after bytes)] of what the holders retain, the largest change first."""
        least = max(1, int(max(self.before.bytes, self.after.bytes) * SHARE / 4))
        found = []
        for s in (self.before, self.after):
            flat, waiting = {}, list(s.holders(least).below)
            while waiting:
                step = waiting.pop()
                flat[tuple(_plain(p) for p in step.path)] = step
                waiting += step.below
            found.append(flat)
        a, b = found
        rows = [(path, a[path].retained if path in a else 0, b[path].retained if path in b else 0, b.get(path) or a.get(path)) for path in {**a, **b}]
        rows = [r for r in rows if r[1] != r[2]]
        return sorted(rows, key=lambda r: (-abs(r[2] - r[1]), r[0]))

    def held_by(self, key):
        """The path of what lives and was born at a line, in the later snapshot; None where nothing does."""
        found = self._ways.get(key)
        if found is None:
            file, line, function, _ = key
            s = self.after
            rows = [i for i in range(len(s.core.sites())) if (s.site(i).file, s.site(i).line, s.site(i).function) == (file, line, function)]
            answer = s.why_rows(rows) if rows else None
            found = self._ways[key] = answer
        return found

    def containers(self, most=20):
        """[(node, entries before, entries after)] of containers that got longer; none where the processes differ."""
        return [(node, a, b) for _, node, a, b in self.after.core.longer(self.before.core, most)] if self.same_process else []

    def references(self):
        """References that nobody owns, more than before: [(type name, Site, refs more, objects more, node)].

        Words in places (C code's static data, raw memory) may be such references, and may be what is left of earlier ones. Where they
        became more as the references did, C code keeps them; where hardly any did, they were there by chance."""
        earlier, rows = {}, {}
        for s, sign in (self.before, -1), (self.after, 1):
            names, sites = {}, {}
            for t, at, node, address, birth, refs, words in s.core.ledger():
                site = sites.get(at) or sites.setdefault(at, s.site(at))
                key = (names.get(t) or names.setdefault(t, s.type_name(t)), site.file, site.line, site.function)
                row = rows.setdefault(key, [0, 0, 0, site, node])
                kept, change = max(0, min(words, refs)), sign * refs
                if sign < 0:
                    earlier[address] = (key, birth, refs, words)
                elif self.same_process and earlier.get(address, ())[:2] == (key, birth):    # the same object
                    _, _, refs_before, words_before = earlier[address]
                    kept_before = max(0, min(words_before, refs_before))
                    kept = kept_before + max(-kept_before, min(words - words_before, max(0, refs - refs_before)))
                row[0] += change
                row[1] += sign * kept
                row[2] += sign
                row[3:] = site, node
        out = []
        for (name, *_), (refs, kept, objects, site, node) in rows.items():
            lost = refs if 10 * kept < refs else refs - kept
            if lost > 0:
                out.append((name, site, lost, objects, node))
        return sorted(out, key=lambda r: (-r[2], r[0]))

    def data(self, most=200):
        def side(sums):
            return {"objects": sums[0], "bytes": sums[1], "retained_bytes": sums[3]}
        lines = []
        for (file, line, function, place), a, b in self.lines()[:most]:
            lines.append({"file": file, "line": line, "function": function, "before": side(a), "after": side(b), "change_bytes": b[1] - a[1],
                          "change_objects": b[0] - a[0]})
        for row, ((key, a, b)) in zip(lines[:8], self.lines()):
            why = self.held_by(key) if b[0] else None
            row["path"] = why.ends[0].path if why and why.ends else []
        return {
            "schema": 1,
            "before": {"path": self.before.path, "objects": self.before.objects, "bytes": self.before.bytes},
            "after": {"path": self.after.path, "objects": self.after.objects, "bytes": self.after.bytes},
            "change_bytes": self.bytes, "change_objects": self.objects, "same_process": self.same_process,
            "types": [{"type": k, "before": side(a), "after": side(b), "change_bytes": b[1] - a[1], "change_objects": b[0] - a[0]}
                      for k, a, b in self.types()[:most]],
            "lines": lines,
            "holders": [{"path": list(path), "before_bytes": a, "after_bytes": b, "change_bytes": b - a} for path, a, b, _ in self.holders()[:most]],
            "containers": [{"path": self.after.path_of(node), "type": self.after.type_name(self.after.core.node(node)[0]), "before_entries": a,
                            "after_entries": b} for node, a, b in self.containers()],
            "unexplained": [{"type": name, "born": site.data(), "references": refs, "objects": objects}
                            for name, site, refs, objects, _ in self.references()[:most]],
        }


RAW = {"snap_info", "sites", "objects", "regions", "wide", "edges", "shapes", "fields", "labels", "texts", "frames", "heavy", "cycles",
       "containers", "equal", "equal_total", "raw", "types"}


def _without_keys(words):
    """'.a.b[3].c' -> '.a.b': as far as names go."""
    out = words.partition("[")[0]
    parts = out.split(".")
    return ".".join(parts[:4]) if out else words


def _numbers(code, values):
    from array import array

    return array(code, values)


def _texts(values):
    """A column of texts: offsets and bytes."""
    from array import array

    offsets, data = array("q", [0]), bytearray()
    for value in values:
        data += value.encode("utf-8", "replace")
        offsets.append(len(data))
    return offsets, bytes(data)


def _figures(names, rows):
    return [(name, _numbers("Q", [r[i] for r in rows])) for i, name in enumerate(names)]


def _around(file, path):
    """What the recording knows that a snapshot lies in: its working directory and command line."""
    if "info" not in file.tables:
        return {}
    from . import _core
    from .recording import Process

    info = Process(file, path, (_core.Error, OSError)).info
    return {key: info[key] for key in ("cwd", "argv", "python", "pid") if key in info}


def _cwd():
    try:
        return os.getcwd()
    except OSError:
        return ""


def _added(rows):
    """Rows of one name together."""
    out = {}
    for name, *sums in rows:
        known = out.get(name)
        out[name] = sums if known is None else [a + b for a, b in zip(known, sums)]
    return [(name, *sums) for name, sums in out.items()]


def _plain(step):
    """A step without its count, to compare two snapshots by."""
    from .snaptext import uncounted

    return uncounted(step)


def _count(n):
    from .text import count

    return count(n)


def _short(name):
    return name.rpartition(".")[2]


def _quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _address(word):
    if word[:2].lower() == "0x":
        try:
            return int(word, 16)
        except ValueError:
            return None
    return int(word) if word.isascii() and word.isdigit() and len(word) >= 6 else None
