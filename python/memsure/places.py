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
        getattr(self, "_" + f.rule.lower())(f, h)
        h.short = h.short or f"{h.title}: {size(f.bytes)}"
        h.one_line = h.one_line or f"{h.title}, {size(f.bytes)}"
        return h

    def where(self, f):
        if f.line is None:
            return ""
        return self.keepers.place(self.lines.file(f.line), self.lines.line(f.line))

    def call(self, names, owners=()):
        """The first call of one of these functions in the program's own files -> (file, module, node) or None.
        `owners`: what it may be called on ("gc"); none: on anything."""
        for file in self.keepers.files():
            m = self.keepers.reader.module(file)
            found = None
            for node in m.parent if m is not None else ():
                if not isinstance(node, ast.Call) or called(node) not in names:
                    continue
                if owners and not (isinstance(node.func, ast.Attribute) and m.text(node.func.value) in owners):
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


__all__ = ["Places"]
