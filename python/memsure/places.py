"""Where it was begun: findings whose bytes are born in one line, and decided in another.

Garbage that no collection comes for is made anywhere, and gc.disable() stands in one line. So for these rules the
program's own files are looked through for the call that decides, and the finding is told there, with words of its own.
Where no such call is found, it stays with the line that was measured.
"""

from .fixes import ast, called
from .holders import Holder, short_type
from .text import count, seconds, size


class Places:
    """The words and places of one recording's findings of these rules."""

    def __init__(self, keepers):
        self.keepers = keepers
        self.lines = keepers.lines

    def tell(self, f):
        h = Holder()
        h.culprit = self.where(f)
        if getattr(self, "_" + f.rule.lower())(f, h) is False:
            return None
        h.short = h.short or f"{h.title}: {size(f.bytes)}"
        h.one_line = h.one_line or f"{h.title}, {size(f.bytes)}"
        return h

    def where(self, f):
        if f.line is None:
            return ""
        return self.keepers.place(self.lines.file(f.line), self.lines.line(f.line))

    def call(self, names, owners=()):
        """The first call of one of these functions in the program's own files -> (file, module, node) or None.
        `owners`: what it may be called on ("gc"); "any": on something; none: on anything, or nothing."""
        for file in self.keepers.files():
            m = self.keepers.reader.module(file)
            found = None
            for node in m.parent if m is not None else ():
                if not isinstance(node, ast.Call) or called(node) not in names:
                    continue
                if owners and not (isinstance(node.func, ast.Attribute) and (owners == "any" or m.text(node.func.value) in owners)):
                    continue
                if found is None or (node.lineno, node.col_offset) < (found.lineno, found.col_offset):
                    found = node
            if found is not None:
                return file, m, found
        return None

    def move(self, f, h, found):
        """Tell the finding at a call."""
        file, _, node = found
        f.line, f.site = self.keepers.line_at(file, node.lineno, f.line), None
        h.mark = node.lineno, node.col_offset, node.end_col_offset if node.end_lineno == node.lineno else -1
        h.culprit = self.keepers.place(file, node.lineno)

    def _y2(self, f, h):
        facts, made = f.facts, self.where(f)
        n, kind = facts["number"], short_type(facts["type"])
        off = facts["young"] < 1
        h.title = "garbage that no collection comes for"
        h.note = f"{count(n)} dead objects, most of them {kind}, wait in circles"
        ran = "no collection ran" if off else f"{count(facts['young'])} young collections ran, and no full one"
        h.evidence = f"{size(f.bytes)} is dead, and was born all along; {ran} after the warm-up"
        h.fix = "switch the collector on, or collect when a batch ends: gc.collect()" if off else "collect before it is frozen, and freeze once: gc.collect(); gc.freeze()"
        h.saves = f"{size(f.bytes)} of {size(facts['live'])} live"
        found = self.call({"disable"} if off else {"freeze", "unfreeze", "set_threshold"}, {"gc"})
        if found is None and off:
            found = self.call({"set_threshold"}, {"gc"})
        if found is not None:
            self.move(f, h, found)
            h.note = f"from here on nothing frees circles; {count(n)} dead {kind} and others wait" if off else h.note
        duration = seconds(facts["duration"])

        def verdict(r, f, who):
            return f"{size(f.bytes)} of {size(facts['live'])} is dead, and no collection comes for it{who}", f"{ran} in {duration}; {made} makes most of it"

        h.verdict = verdict

    def _l9(self, f, h):
        """Only where the program itself asks for workers to be renewed: else it is one process for each job."""
        facts = f.facts
        words = ("maxtasksperchild", "max_tasks_per_child", "max_requests")
        if self.setting(words) is None and not any(w.replace("_", "-") in a for w in words for a in f.process.words("argv")):
            return False
        n, life = facts["lives"], seconds(facts["life_s"])
        h.title = "recycling hides a leak"
        h.note = f"most of what a worker gained in its {life} of life, {size(f.bytes)} in the worst"
        h.evidence = f"{count(n)} workers of {life} each, one after the other; each ends with more than it had near its start, {size(facts['median'])} in the middle"
        h.fix = "let one worker live, and see who keeps it: maxtasksperchild=None"
        h.short = f"{count(n)} workers grow and are renewed: {size(f.bytes)} each"

        def verdict(r, f, who):
            return f"each of {count(n)} workers grew by up to {size(f.bytes)} in its {life}, and was renewed{who}", f"most of it comes from {h.culprit}"

        h.verdict = verdict
        return True

    def setting(self, names):
        """A call in the program's own files with an argument of one of these names, not None -> the call or None."""
        for file in self.keepers.files():
            m = self.keepers.reader.module(file)
            for node in m.parent if m is not None else ():
                if isinstance(node, ast.keyword) and node.arg in names and not (isinstance(node.value, ast.Constant) and node.value.value is None):
                    return m.parent[node]
        return None

    def _n7(self, f, h):
        facts = f.facts
        n = facts["number"]
        h.title = "data copied to each worker by pickle"
        h.note = f"{count(n)} workers unpickle {size(facts['each'])} each"
        h.evidence = f"{size(facts['sent'])} unpickled in {self.where(f)}: more than the first process ever made, so the same was sent again and again"
        h.fix = "load it once in each worker (initializer=), or put it into shared memory"
        h.saves = f"{size(f.saves)} of {size(facts['live'])} at the workers' peaks"
        found = self.call({"map", "starmap", "imap", "imap_unordered", "map_async", "starmap_async", "apply", "apply_async", "submit"}, "any") or self.call({"Process"})
        if found is not None:
            self.move(f, h, found)

        def verdict(r, f, who):
            return f"{count(n)} workers hold {size(f.bytes)} that was sent to them{who}", f"{h.culprit} sends the same again and again: {size(facts['sent'])} in all"

        h.verdict = verdict

    def _copied(self, f, h, why):
        facts = f.facts
        n = facts["number"]
        h.evidence = f"{count(n)} processes wrote to {size(f.bytes)} together, of the {size(facts['inherited'])} that each inherited{why}"
        h.saves = f"up to {size(f.bytes)}, in {count(n)} processes"

        def verdict(r, f, who):
            return f"{count(n)} forked processes hold {size(f.bytes)} of copies of what they had in common{who}", f"{h.title} ({h.culprit})"

        h.verdict = verdict

    def _o4(self, f, h):
        n = f.facts["collections"]
        h.title = "collections write to pages shared after fork"
        h.fix = "before it: gc.collect(); gc.freeze()"
        self._copied(f, h, f"; {count(n)} full collection{'s' if n != 1 else ''} ran in them")
        found = self.call({"fork", "Process", "Pool", "ProcessPoolExecutor", "get_context"})
        if found is not None:
            self.move(f, h, found)
            _, m, node = found
            stmt = m.statement(node)
            loop = m.up(node, ast.For, ast.While)
            first = (loop or stmt).lineno
            h.patch = [(first, "+", f"{m.indent(first)}gc.collect(); gc.freeze()")]
        h.note = "from here on a collection copies what it looks at"

    def _o5(self, f, h):
        h.title = "reading writes reference counts to shared pages"
        h.fix = "keep it in one object of numbers or bytes: array, numpy, Arrow"
        h.note = f"{size(f.facts['line_bytes'])} from here, inherited by each"
        self._copied(f, h, "; no full collection ran in them")

    def _o6(self, f, h):
        facts = f.facts
        h.title = "huge pages of which little is used"
        h.evidence = f"{size(facts['huge'])} lies in huge pages outside of Python's heap; of sampled parts of 4 KiB most hold nothing but zeros"
        h.saves = f"up to {size(f.bytes)} of {size(facts['rss'])} RSS"
        found = self.call({"madvise"})
        h.fix = "do not ask for huge pages here" if found else "start it with NUMPY_MADVISE_HUGEPAGE=0, or keep what is sparse in a dict or a sparse matrix"
        found = found or self.call({"zeros", "full", "empty", "zeros_like"}, {"np", "numpy"})
        if found is not None:
            self.move(f, h, found)
            h.note = "memory in huge pages: one byte written makes 2 MiB resident"

        def verdict(r, f, who):
            return f"{size(f.bytes)} of {size(facts['rss'])} RSS is zeros in huge pages{who}", f"{h.title}{' (' + h.culprit + ')' if h.culprit else ''}"

        h.verdict = verdict

    def _p5(self, f, h):
        facts = f.facts
        h.title = "Arrow's pool keeps what was freed"
        h.evidence = (
            f"{size(f.bytes)} is neither Python's nor malloc's; the pool has {size(facts['used'])} in use, as it says, and had {size(facts['most'])}; "
            f"so for the last {seconds(facts['seconds'])}"
        )
        h.fix = "when a batch ends, give it back: pyarrow.default_memory_pool().release_unused()"
        found, alias = self.arrow()
        if found is not None:
            self.move(f, h, found)
            h.note = "from here on Arrow's memory comes from its own pool"
            h.patch = _after_the_batch(found[1], found[2], alias)

        def verdict(r, f, who):
            return f"RSS stays at {size(facts['rss'])}: {size(f.bytes)} of it is free in Arrow's own pool{who}", f"{size(facts['used'])} of the pool is in use, as it says" + (f"; {h.culprit} is the first that uses it" if h.culprit else "")

        h.verdict = verdict

    def arrow(self):
        """(the first call of something of pyarrow's in the program's own files, the name by which that file knows pyarrow itself or '')."""
        for file in self.keepers.files():
            m = self.keepers.reader.module(file)
            known, alias = set(), ""
            for node in m.parent if m is not None else ():
                for a in node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else ():
                    if (getattr(node, "module", None) or a.name).partition(".")[0] == "pyarrow":
                        known.add(a.asname or a.name.partition(".")[0])
                        if isinstance(node, ast.Import) and m.scope(node) is m.tree and (a.name == "pyarrow" or not a.asname):
                            alias = a.asname or "pyarrow"
            calls = [node for node in m.parent if isinstance(node, ast.Call) and _root(node.func) in known] if known else []
            if calls:
                return (file, m, min(calls, key=lambda n: (n.lineno, n.col_offset))), alias
        return None, ""

    def _o7(self, f, h):
        names = f.process.words("shm_left")
        h.title = "shared memory left behind"
        h.evidence = f"after the end /dev/shm has {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}: {size(f.bytes)}"
        h.fix = "unlink it once, by who made it: in a finally"
        h.saves = f"{size(f.bytes)} that outlive the program"
        found = self.call({"SharedMemory", "ShareableList", "SharedMemoryManager", "shm_open"}) or self.call({"memmap", "mmap"})
        if found is not None:
            self.move(f, h, found)
            h.note = f"{size(f.bytes)} made here are still there"

        def verdict(r, f, who):
            return f"{size(f.bytes)} of shared memory outlive the program{who}", f"{h.culprit + ': ' if h.culprit else ''}{len(names)} segment{'s' if len(names) != 1 else ''} in /dev/shm that nobody unlinked"

        h.verdict = verdict


def _root(node):
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return getattr(node, "id", "")


def _after_the_batch(m, node, alias):
    """What gives Arrow's pool back, as a patch: below the one call of the function that uses it, or the one `del` of a module's level."""
    function = m.scope(node)
    if function is m.tree:
        ends = [n for n in m.tree.body if isinstance(n, ast.Delete) and n.lineno > node.lineno]
    elif isinstance(function, ast.FunctionDef):
        ends = [m.statement(n) for n in m.parent if isinstance(n, ast.Call) and getattr(n.func, "id", "") == function.name]
    else:
        ends = []
    if not alias or len(ends) != 1 or not isinstance(ends[0], (ast.Expr, ast.Assign, ast.Delete)):
        return []
    below = ends[0].end_lineno + 1
    return [(below, "+", f"{m.indent(ends[0].lineno)}{alias}.default_memory_pool().release_unused()")]


__all__ = ["Places"]
