"""How the answers of a snapshot are laid out: `memsure snapshot FILE`, `memsure why`, `memsure diff`.

Each takes a Paper and gives one text. What a figure or a name is comes from snap.py; here it gets its
place. A path reads downwards as code would: each row adds a step, `shop` `.CATALOG` `._by_key` `['eu']`.
"""

from .report import shell_word
from .text import NBSP, cells, change, count, percent, seconds, size

ROWS = 6  # of a table, unless --all


# -- rows ----------------------------------------------------------------------------------------


def step_row(paper, step, indent, mark="", wide=0):
    """bytes | the step | what stands there | born where."""
    return (size(step.retained), " " * indent + step.text, what(step), born(step), mark)


def what(step):
    """'dict 1.94 M': the type, and how much is in it."""
    if step.type is None:
        return ""
    name = step.name if step.count == 1 else step.type
    if step.text.startswith("module "):
        return ""
    if step.text.startswith(f"{_short(name)} ×") or step.text in (name, _short(name), f"{name} (shared)", f"{name} (held outside Python)") or step.type == "module":
        return entries(step) if step.type != "module" else ""
    short = _short(name)
    held = entries(step)
    return f"{short} {held}".rstrip()


def entries(step, snap=None):
    if step.entries and step.type is not None:
        if step.count > 1:
            return ""
        return count(step.entries)
    return ""


def born(step):
    if not step.site.known or not step.site.file or step.type is None or step.type == "module" or step.text.startswith(("module ", "modules ")):
        return ""
    return step.site.place + (" ..." if step.more_sites else "")


def _short(name):
    """A type as the source would call it: without its module."""
    return name if name.startswith(("class ", "function ", "code ", "module ")) else name.rpartition(".")[2]


def table(paper, rows, heads=None, right=(0,), least=()):
    """Columns as wide as they need to be; the last but the marks is cut where the line ends. Rows are tuples of texts."""
    rows = [tuple(paper.sign(paper.fix(c)) for c in r) for r in rows]
    if heads:
        rows = [tuple(heads), *rows]
    n = max(map(len, rows), default=0)
    spans = [max((i for i, c in enumerate(r) if c), default=-1) for r in rows]  # the last cell of a row may go on to the line's end
    end = max(spans, default=-1)
    widths = [max((cells(r[i]) for r, last in zip(rows, spans) if i < len(r) and (i != last or i in right or i == end)), default=0)
              for i in range(n)]
    room = paper.width - 2
    places = [any(_path_like(r[i]) for r in rows if i < len(r)) for i in range(n)]
    flexible = [i for i in range(n) if i not in right]
    while paper.cut_tables and sum(widths) + 2 * sum(1 for w in widths[1:] if w) > room and flexible:
        widest = max(flexible, key=lambda i: widths[i] + (6 if places[i] and widths[i] > 26 else -14 if places[i] else 0))  # file and line stay
        if widths[widest] <= 8:
            break
        widths[widest] -= 1
    out = []
    for k, r in enumerate(rows):
        parts = []
        for i, c in enumerate(r):
            if i == spans[k] and i not in right:
                used = sum(widths[:i]) + 2 * sum(1 for w in widths[:i] if w)
                parts.append(c if not paper.cut_tables else _fit(paper, c, max(8, room - used)))
                break
            if not widths[i]:
                continue
            if i in flexible:
                c = _fit(paper, c, widths[i])
            parts.append(paper.right(c, widths[i]) if i in right else paper.left(c, widths[i]))
        line = "  " + "  ".join(parts).rstrip()
        out.append(paper.paint(line, "dim") if heads and k == 0 else line)
    return out


def _path_like(s):
    return "/" in s and ":" in s and " " not in s.strip().replace(" ...", "").removeprefix("born ")


def _fit(paper, s, width):
    return _cut_path(paper, s, width) if _path_like(s) else paper.cut(s, width)


def _cut_path(paper, s, width):
    """Of a place the end matters: its file and line."""
    if s.startswith("born ") and width > 12:
        return "born " + paper.cut_front(s[5:], width - 5)
    return paper.cut_front(s, width)


# -- memsure snapshot FILE -----------------------------------------------------------------------


def summary(snap, paper, everything=False):
    """Live at a glance: who holds most, of which types, born where, and what is dead."""
    root = snap.holders(small=False)
    types, lines = snap.types(), snap.lines()
    out = [paper.paint(paper.fix(header(snap)), "dim"), ""]
    garbage = garbage_of(snap)
    out += paper.wrap(totals(snap, garbage))
    tops = [s for s in root.below if not s.text.startswith("imported code") and 20 * s.retained >= snap.bytes] or root.below
    if tops:
        out += paper.wrap(leader(snap, tops[0]))
    out.append("")
    out += table(paper, holder_rows(root, snap.bytes, 40 if everything else 16), ("held", "by", "", "born"))
    out.append("")
    limit = 20 if everything else ROWS
    out += type_table(paper, types, limit, snap.bytes)
    seen = [r for r in lines if r[0].known]
    if seen:
        out.append("")
        out += line_table(paper, seen, limit, snap.bytes)
    elif snap.objects:
        out += ["", *paper.wrap("Where the objects were born is not known: they are older than memsure, or nothing was recorded.")]
    if garbage:
        out += ["", *garbage_lines(snap, paper, garbage)]
    out += damage_lines(snap, paper)
    name = shell_word(snap.path)
    next_up = [f"memsure why {name} {shell_word(_worth_asking(snap, root, types))}"]
    if garbage:
        next_up.append(f"memsure snapshot {name} --by cycle")
    out += ["", *_next(paper, next_up)]
    return paper.finish(out)


def _next(paper, commands):
    line = "next: " + "   ".join(commands)
    if cells(line) <= paper.width:
        return [line]
    return ["next: " + commands[0], *("      " + c for c in commands[1:])]


def _worth_asking(snap, root, types):
    """What the first `why` should be about, the program's own or a library's: the variable that holds a tenth of all, else
    the type whose objects hold most."""
    import sys

    def own(name):
        top = name.partition(".")[0]
        return "." in name and (top == "__main__" or top not in sys.stdlib_module_names) and not name.endswith(("Meta", "type"))
    for module, name, *_ in snap.variables(max(1, snap.bytes // 10)):
        if own(f"{module}.{name}"):
            return f"{module}.{name}"
    found = [(retained, name) for name, objects, _, _, retained, _ in types if objects > 1 and own(name)]
    found = found or [(retained, name) for name, _, _, _, retained, _ in types if own(name)]
    return max(found)[1] if found else types[0][0] if types else "dict"


def header(snap):
    moment = {"exit": "at exit", "peak": "at the peak", "call": "asked for", "signal": "asked for by a signal",
              "every": "at an interval"}.get(snap.moment, snap.moment)
    words = [f"memsure  {snap.program}", f"CPython {snap.info.get('python', '?')}", f"snapshot {moment}"]
    t = snap.number("t_ns")
    if t:
        words[-1] += f", {seconds(t / 1e9)}"
    pid = snap.number("pid")
    if pid:
        words.append(f"pid {pid}")
    return " · ".join(words)


def totals(snap, garbage):
    text = f"{count(snap.objects)} objects hold {size(snap.bytes)}"
    rss = snap.number("rss_bytes")
    if rss:
        text += f" of {size(rss)} RSS"
    if garbage:
        text += f"; {size(garbage[1])} of it is dead, waiting for the collector"
    return text


def leader(snap, top):
    """'module shop holds 98 % of it: .CATALOG._by_key (dict, 1.94 M entries)'"""
    step = top
    path = ""
    while step.below and step.below[0].count == 1 and step.below[0].retained >= 0.8 * top.retained:
        step = step.below[0]
        path += step.text if step.text[:1] in ".[" else f" {step.text}"
    text = f"{top.text} {'holds' if top.count == 1 else 'hold'} {percent(top.retained, snap.bytes)} of it"
    if path:
        text += f": {path.strip()}"
        held = f", {count(step.entries)} entries" if step.entries else ""
        text += f" ({_short(step.name)}{held})"
    return text


def holder_rows(root, total, most):
    """The heaviest holders as rows: each level only as far as it holds a share of the one above."""
    rows = []
    left = [most]

    def add(step, indent, above):
        if left[0] <= 0:
            return
        left[0] -= 1
        rows.append(step_row(None, step, indent))
        if step.count > 1 and indent >= 4 and not step.below:
            return
        shown = [b for b in step.below if b.retained >= 0.05 * total or b.retained >= 0.3 * step.retained and b.retained >= 0.01 * total]
        for b in shown[:4]:
            add(b, min(indent + 2, 8), step)
    for top in root.below:
        if top.retained < 0.01 * total and rows:
            break
        add(top, 0, root)
    rest = sum(b.retained for b in root.below) - sum(b.retained for b in root.below if any(r[1] == b.text for r in rows))
    other = total - sum(b.retained for b in root.below) + rest
    if other >= 0.01 * total:
        rows.append((size(other), "everything else", "", "", ""))
    return rows


def type_table(paper, types, limit, total):
    rows = [(size(retained), size(n), count(objects), name) for name, objects, n, _, retained, _ in types[:limit]]
    rest = types[limit:]
    if rest:
        rows.append(("", size(sum(r[2] for r in rest)), count(sum(r[1] for r in rest)), f"{count(len(rest))} more types"))
    return table(paper, rows, ("held", "own", "objects", "type"), right=(0, 1, 2))


def line_table(paper, lines, limit, total):
    rows = [(size(retained), size(n), count(objects), site.place, f"in {site.function}" if site.function else "")
            for site, objects, n, _, retained, _ in lines[:limit]]
    rest = lines[limit:]
    if rest:
        rows.append(("", size(sum(r[2] for r in rest)), count(sum(r[1] for r in rest)), f"{count(len(rest))} more lines", ""))
    return table(paper, rows, ("held", "own", "objects", "born at", ""), right=(0, 1, 2))


def garbage_of(snap):
    """(objects, bytes) that are dead and wait for the collector; None: there are none."""
    if not snap.core.garbage:
        return None
    if "garbage_nodes" in snap.info:
        objects = snap.number("garbage_nodes")
        return (objects, snap.number("garbage_bytes")) if objects else None
    rows = snap.core.sums("type", False, True)
    objects, n = sum(r[1][0] for r in rows), sum(r[1][1] for r in rows)
    return (objects, n) if objects else None


def garbage_lines(snap, paper, garbage):
    objects, n = garbage
    out = paper.wrap(f"{count(objects)} objects ({size(n)}) are dead: they only hold each other, and wait for the collector")
    _, cycles = snap.cycles(200)
    rows = [(size(c.retained), f"{count(c.circles)} ×", c.text, _born_cycle(c)) for c in cycles if c.garbage][:3]
    return out + table(paper, rows, right=(0, 1))


def _born_cycle(c):
    places = [s.place for _, _, s in c.steps if s.known]
    return f"born {places[0]}" if places else ""


def counted(snap, paper, everything=False):
    """The smaller answer: what there is, by type and line."""
    objects, n = sum(r[3] for r in snap.rows), sum(r[4] for r in snap.rows)
    out = [*paper.wrap(f"{count(objects)} objects hold {size(n)}. Who holds whom is not known: {snap.info.get('incomplete_why') or 'memory was short'}."), ""]
    rows = [(size(n), f"{count(objects)} ×", name, f"{file}:{line}" if file else "") for name, file, line, objects, n in snap.rows]
    return "\n".join([*out, *table(paper, rows[:200 if everything else 16], ("bytes", "objects", "type", "born"), right=(0, 1)), ""])


def counted_data(snap):
    rows = [{"type": name, "born": {"file": file, "line": line} if file else None, "objects": objects, "bytes": n}
            for name, file, line, objects, n in snap.rows]
    return {"schema": 1, "complete": False, "why": snap.info.get("incomplete_why", ""), "objects": sum(r["objects"] for r in rows),
            "bytes": sum(r["bytes"] for r in rows), "counts": rows[:200]}


def damage_lines(snap, paper):
    out = []
    if snap.info.get("complete", "1") != "1":
        out += ["", *paper.wrap(f"Not all of it was seen: {snap.info.get('incomplete_why') or 'the child ended early'}.")]
    if others := snap.number("unread_interpreters"):
        what = "a subinterpreter with a lock of its" if others == 1 else f"{others} subinterpreters with locks of their"
        out += ["", *paper.wrap(f"Without the objects of {what} own, which run on while a snapshot is taken.")]
    skipped = snap.info.get("skipped_types") or "[]"
    if skipped != "[]":
        import json

        try:
            names = [str(n) for n in json.loads(skipped)]
        except ValueError:
            names = []
        if names:
            out += ["", *paper.wrap(f"Not followed, since their tp_traverse failed: {', '.join(names[:5])}"
                                    + (f" and {len(names) - 5} more" if len(names) > 5 else "") + ".")]
    return out


# -- memsure snapshot FILE --by ... --------------------------------------------------------------

BY = ("type", "line", "module", "variable", "cycle", "growing", "spare", "equal", "unexplained", "raw", "holder")


def by(snap, paper, what_by, everything=False):
    limit = 1000 if everything else 20
    out = [paper.paint(paper.fix(header(snap)), "dim"), ""]
    out += globals()["_by_" + what_by](snap, paper, limit)
    return paper.finish(out)


def _by_type(snap, paper, limit):
    return type_table(paper, snap.types(), limit, snap.bytes)


def _by_line(snap, paper, limit):
    return line_table(paper, snap.lines(), limit, snap.bytes)


def _by_holder(snap, paper, limit):
    return table(paper, holder_rows(snap.holders(small=False), snap.bytes, limit * 2), ("held", "by", "", "born"))


def _by_module(snap, paper, limit):
    rows = [(size(retained), percent(retained, snap.bytes), name) for name, _, retained in snap.modules()[:limit]]
    return table(paper, rows, ("held", "of all", "module"), right=(0, 1)) + _more(paper, len(snap.modules()) - limit, "modules")


def _by_variable(snap, paper, limit):
    found = snap.variables()
    rows = []
    for module, name, node, retained, others in found[:limit]:
        type, site, _, _, own, _, _, _, entries_, *_ = snap.core.node(node)
        held = f" {count(entries_)}" if entries_ else ""
        place = snap.site(site)
        rows.append((size(retained), f"{module}.{name}", f"{_short(snap.type_name(type))}{held}", place.place if place.known else "",
                     f"also {others[0]}" if others else ""))
    return table(paper, rows, ("held", "variable", "", "born", "")) + _more(paper, len(found) - limit, "variables")


def _by_cycle(snap, paper, limit):
    forms, cycles = snap.cycles(1000)
    cycles.sort(key=lambda c: (not c.garbage, -c.retained))
    if not cycles:
        return ["No objects refer to each other in a circle."]
    shown = cycles if limit > 20 else [c for c in cycles if c.garbage or not c.of_classes]
    rows = [(size(c.retained), count(c.circles), "dead" if c.garbage else "alive", c.text, _born_cycle(c)) for c in shown[:limit]]
    out = table(paper, rows, ("held", "circles", "", "form", ""), right=(0, 1)) if rows else []
    rest = forms - len(shown[:limit])
    if rest > 0:
        out.append(f"  {count(rest)} more forms, of classes, modules and functions themselves for the most part: --all")
    return out


def _by_growing(snap, paper, limit):
    found = snap.growing(64, limit)
    if not found:
        return paper.wrap("No container has entries that were born over the whole run (of those with 64 entries or more whose births were seen).")
    rows = []
    for node, entries_, oldest, newest, _ in found:
        type, site, *_ = snap.core.node(node)
        place = snap.site(site)
        rows.append((size(snap.core.node(node)[6]), count(entries_), expression(snap.path_of(node)) or _short(snap.type_name(type)),
                     place.place if place.known else "", _span(newest, oldest)))
    return table(paper, rows, ("held", "entries", "container", "born", "entries aged"), right=(0, 1))


def _by_spare(snap, paper, limit):
    found = snap.containers(limit)
    if not found:
        return ["No container has much more room than it uses."]
    rows = [(size(n), count(objects), f"{percent(used, room)} full", _short(name), site.place if site.known else "")
            for name, site, objects, used, room, n in found]
    return table(paper, rows, ("unused", "objects", "", "type", "born at"), right=(0, 1, 2))


def _by_equal(snap, paper, limit):
    found = snap.equal(limit)
    if not found:
        return ["No equal values were found, or the snapshot does not know them."]
    rows = []
    for name, objects, each, node in found:
        _, text = snap.core.name(node)
        rows.append((size((objects - 1) * each), count(objects), size(each), name, repr(text) if text is not None else ""))
    heads = ("wasted", "equal", "each", "type", "value" if any(r[4] for r in rows) else "")
    return table(paper, rows, heads, right=(0, 1, 2))


def _by_unexplained(snap, paper, limit):
    found = snap.unexplained()
    if not found:
        return ["Every reference is held by an object that is known."]
    rows = [(f"{refs:+,}", count(objects), name, site.place if site.known else "") for name, site, _, objects, refs in found[:limit]]
    out = table(paper, rows, ("references", "objects", "type", "born at"), right=(0, 1)) + _more(paper, len(found) - limit, "types and lines")
    out += ["", *paper.wrap("References that no known object holds: C code does. Many are of import time; memsure diff tells which grow.")]
    return out


def _by_raw(snap, paper, limit):
    found = snap.raw()
    if not found:
        return ["All memory that was seen belongs to objects."]
    rows = [(size(n), count(blocks), site.place) for site, blocks, n in found[:limit]]
    return table(paper, rows, ("bytes", "blocks", "asked for at"), right=(0, 1)) + _more(paper, len(found) - limit, "lines")


def _more(paper, n, what_):
    return [f"  {paper.sign(f'{count(n)} more {what_}: --all')}"] if n > 0 else []


# -- memsure why ---------------------------------------------------------------------------------


def expression(path):
    """A path as one expression: 'shop.CATALOG._by_key[…]'."""
    out = ""
    for step in path:
        step = uncounted(step)
        if step.startswith("module "):
            step = step[7:]
        out += step if not out or step[:1] in ".[" else f" → {step}"
    return out


def uncounted(step):
    """A step without its ' ×12'."""
    words = step.split(" ")
    return " ".join(w for w in words if w[:1] != "×")


def why(found, paper, asked=None):
    """asked: the finding that it is about (asking.Asked), or None."""
    snap = found.snap
    out = [*paper.wrap(headline(found)), ""]
    rows = []
    for i, s in enumerate(found.path):
        top = i == 0 or s.above.above is None
        held, text, kind, place, mark = step_row(paper, s, 0 if top else 2, "<- cut" if s is found.cut else "")
        if s.count == 1 and s.entries >= 64 and s.type is not None and snap.core.grows(s.example)[0]:
            kind += ", grows"
        rows.append((held, text, kind, place, mark))
    inside = found.contents()
    for s in inside[:3]:
        rows.append(step_row(paper, s, 2))
    total = sum(max(cells(paper.sign(paper.fix(r[i]))) for r in rows) for i in range(5)) + 15 if rows else 0
    if total <= paper.width:  # else what stands there is worth more than the word
        rows = [(*r[:3], f"born {r[3]}" if r[3] else "", r[4]) for r in rows]
    if rows:
        out += table(paper, rows)
        out.append("")
    out += facts(found, paper)
    out.append("")
    if asked and asked.fix:
        out += [*paper.wrap(paper.fix(asked.fix), "fix   "), ""]
    out += _next(paper, [f"memsure explain {asked.rule}", *commands(found)[:1]] if asked else commands(found))
    return paper.finish(out)


def headline(found):
    name = _short(found.name) if found.kind == "type" else found.name
    if found.kind == "node":
        first = f"{name} holds {size(found.retained)}"
    else:
        these = f"{count(found.count)} {name}" if found.kind == "type" else f"{count(found.count)} objects born at {name}"
        first = f"{these} {'holds' if found.count == 1 else 'hold'} {size(found.retained)}"
        if size(found.retained) != size(found.bytes):
            first += f" ({size(found.bytes)} themselves)"
    dead = found.garbage
    if dead == found.count:
        return first + "; " + ("it is" if dead == 1 else "all are") + " dead, waiting for the collector"
    if found.count > 1:
        ends = found.ends
        if len(ends) == 1:
            first += "; all of them have the same holder" if ends[0].above.count == 1 else "; all of them are held alike"
        elif ends:
            first += f"; {percent(ends[0].here, found.count)} of them are held alike"
    if dead:
        first += f"; {count(dead)} are dead, waiting for the collector"
    return first


def facts(found, paper):
    snap = found.snap
    rows = []
    more = [s for s in found.ends[1:4] if not s.dead]
    if more:
        text = "; ".join(f"{count(s.here)} by {expression(s.path)}" for s in more)
        if len(found.ends) > 4:
            text += f"; and in {count(len(found.ends) - 4)} other ways"
        rows.append(("the others:", text))
    words = []
    for kind, value, type, node, _, refs, owners in found.others[:3]:
        label = snap.label(kind, value)
        owner = _short(snap.type_name(type)) if not snap.pseudo(type) else snap.describe(node)
        if owners == 1 and not snap.pseudo(type):
            owner = expression(snap.path_of(node)) or owner
        by = f"{owner}{label}" if label[:1] in ".[" else f"{owner} ({label})"
        words.append(f"{by} {'×' + count(refs) if refs > 1 else ''}".rstrip())
    if len(found.others) > 3:
        words.append("and others")
    weak = f"{count(found.weak)} weak reference{'s' * (found.weak != 1)} ignored" if found.weak else ""
    rows.append(("also held by:", (", ".join(words) if words else "nothing else") + (f" ({weak})" if weak else "")))
    if found.aged:
        rows.append(("ages:", ages(found)))
    if found.cut is not None and found.garbage < found.count:
        rows.append(("if cut here:", cutting(found)))
    elif found.path and found.garbage < found.count and (both := found.together()):
        names = [expression(snap.path_of(node)) for node in both[0]]
        rows.append(("to free them:", f"empty {'both ' if len(names) == 2 else ''}{', '.join(names[:-1])} and {names[-1]}: {size(both[1])} is freed"))
    elif found.path and found.garbage < found.count:
        rows.append(("to free them:" if found.count > 1 else "to free it:", "no single reference holds " + ("them all" if found.count > 1 else "it")))
    width = max(len(r[0]) for r in rows)
    out = []
    for head, text in rows:
        out += paper.wrap(paper.fix(text), f"  {head:<{width}} ")
    return out


def cutting(found):
    n = found.cut_refs
    freed = size(found.cut.retained)
    if n <= 1:
        return f"{freed} is freed"
    return f"{freed} is freed, once all {count(n)} references to it are gone"


def _span(low, high):
    """'0 to 41 s'"""
    a, b = seconds(low), seconds(high)
    if a == b:
        return b
    if a.split(NBSP)[1:] == b.split(NBSP)[1:]:
        a = a.split(NBSP)[0]
    return f"{a} to {b}"


def ages(found):
    snap = found.snap
    text = _span(snap.age(found.newest), snap.age(found.oldest))
    if found.aged < 16 or found.newest == found.oldest:
        return text
    fair = found.aged / len(found.parts) / 4
    if all(p > fair for p in found.parts):
        return f"{text}, evenly: made all the time"
    early, late = sum(found.parts[:2]), sum(found.parts[-2:])
    if early >= 0.9 * found.aged:
        return f"{text}, nearly all of them among the oldest"
    if late >= 0.9 * found.aged:
        return f"{text}, nearly all of them young"
    return text


def commands(found):
    snap = found.snap
    name = shell_word(snap.path)
    out = []
    if found.garbage == found.count:
        return [f"memsure snapshot {name} --by cycle"]
    if found.cut is not None and found.count > 1:
        cut, step = found.cut.example, found.cut
        while step.above is not None and not snap.variables_of(step.example) and step.count == 1:
            step = step.above
        out.append(f"memsure why {name} {(snap.variables_of(step.example) or [hex(snap.core.node(cut)[3])])[0]}")
    elif found.kind != "type" and found.path:
        out.append(f"memsure why {name} {shell_word(found.path[-1].type or 'dict')}")
    out.append(f"memsure snapshot {name} --by growing" if found.aged else f"memsure snapshot {name}")
    return out


# -- memsure diff --------------------------------------------------------------------------------


def diff(d, paper, everything=False):
    limit = 30 if everything else 8
    before, after = d.before, d.after
    lines = d.lines()
    same = len({(s.file, s.line, s.function) for s, *_ in after.lines()}) - sum(1 for _, _, b in lines if b[0])
    share = f" ({'+' if d.bytes >= 0 else '−'}{percent(abs(d.bytes), before.bytes)} of {size(before.bytes)})" if before.bytes else ""
    text = f"after − before: {change(d.bytes)} live{share}, {count(len(lines))} line{'s' * (len(lines) != 1)} moved, {count(max(0, same))} did not"
    out = [*paper.wrap(text), ""]
    rows = []
    for key, a, b in lines[:limit]:
        file, line, function, place = key
        held = "(freed)"
        if b[0]:
            found = d.held_by(key)
            held = expression(found.ends[0].above.path if found.ends[0].count > 1 and found.ends[0].above.path else found.ends[0].path) if found and found.ends else ""
        rows.append((change(b[1] - a[1]), _signed(b[0] - a[0]), place, held))
    if rows:
        out += table(paper, rows, ("live", "objects", "born at", "held by"), right=(0, 1))
        out += _more(paper, len(lines) - limit, "lines")
        out.append("")
    types = d.types()
    if types:
        rows = [(change(b[1] - a[1]), _signed(b[0] - a[0]), name) for name, a, b in types[: limit - 2]]
        out += table(paper, rows, ("live", "objects", "type"), right=(0, 1))
        out += _more(paper, len(types) - limit + 2, "types")
    containers = d.containers(limit - 3)
    if containers:
        rows = []
        for node, a, b in containers:
            type, site, *_ = after.core.node(node)
            rows.append((_signed(b - a), count(b), expression(after.path_of(node)), _short(after.type_name(type))))
        out += ["", *table(paper, rows, ("longer by", "now", "container", ""), right=(0, 1))]
    for name, site, refs, objects, node in [r for r in d.references() if r[2] >= d.LEAST_REFS][:5]:
        where = f", born {site.place}" if site.known else ""
        text = f"refs nobody owns: +{refs:,} on {'' if objects <= 1 else f'{count(objects)} more '}{name}{where}"
        out += ["", *paper.wrap(paper.fix(text))]
    if not lines and not types:
        out += paper.wrap("Nothing changed that a snapshot sees.")
    grown = [k for k, a, b in types if b[1] > a[1] and "." in k] or [key[3] for key, a, b in lines if b[1] > a[1] and key[1] > 0] or [k for k, a, b in types if b[1] > a[1]]
    if grown:
        out += ["", *_next(paper, [f"memsure why {shell_word(after.path)} {shell_word(grown[0])}"])]
    return paper.finish(out)


def _signed(n):
    return ("−" if n < 0 else "+") + count(abs(n)) if n else "0"


# -- JSON ----------------------------------------------------------------------------------------


def data(snap, what_by=None, most=200):
    """Schema 1, docs/SNAPSHOT.md."""
    def sums(row):
        _, objects, own, said, retained, retained_said = row
        return {"objects": objects, "bytes": own, "said_bytes": said, "retained_bytes": retained, "retained_said_bytes": retained_said}
    parts = {
        "holders": lambda: [s.data() for s in snap.holders().below[:most]],
        "types": lambda: [{"type": r[0], **sums(r)} for r in snap.types()[:most]],
        "lines": lambda: [{"born": r[0].data(), "place": r[0].place, **sums(r)} for r in snap.lines()[:most]],
        "modules": lambda: [{"module": name, "retained_bytes": retained} for name, _, retained in snap.modules()[:most]],
        "variables": lambda: [{"variable": f"{m}.{v}", "type": snap.type_name(snap.core.node(node)[0]), "retained_bytes": retained, "also": others}
                              for m, v, node, retained, others in snap.variables()[:most]],
        "cycles": lambda: [c.data() for c in snap.cycles(most)[1]],
        "growing": lambda: [{"path": snap.path_of(node), "entries": n, "oldest_s": old, "newest_s": new, "born": list(parts),
                             "retained_bytes": snap.core.node(node)[6]} for node, n, old, new, parts in snap.growing(64, most)],
        "spare": lambda: [{"type": name, "born": site.data(), "objects": n, "used": used, "room": room, "bytes": unused}
                          for name, site, n, used, room, unused in snap.containers(most)],
        "equal": lambda: [{"type": name, "objects": n, "bytes": each, "wasted_bytes": (n - 1) * each} for name, n, each, _ in snap.equal(most)],
        "unexplained": lambda: [{"type": name, "born": site.data(), "objects": n, "references": refs}
                                for name, site, _, n, refs in snap.unexplained()[:most]],
        "raw": lambda: [{"born": site.data(), "blocks": blocks, "bytes": n} for site, blocks, n in snap.raw()[:most]],
    }
    garbage = garbage_of(snap) or (0, 0)
    out = {"schema": 1, "memsure": snap.info.get("memsure", ""), "moment": snap.moment, "pid": snap.number("pid"), "argv": snap.argv,
           "python": snap.info.get("python", ""), "taken_unix_ns": snap.number("taken_unix_ns"), "t_ns": snap.number("t_ns"),
           "objects": snap.objects, "references": snap.core.edges, "bytes": snap.bytes, "rss_bytes": snap.number("rss_bytes"),
           "garbage": {"objects": garbage[0], "bytes": garbage[1]}, "complete": snap.info.get("complete", "1") == "1",
           "unread_interpreters": snap.number("unread_interpreters"), "values": snap.values}
    plural = {"type": "types", "line": "lines", "module": "modules", "variable": "variables", "cycle": "cycles", "holder": "holders"}
    for name, make in parts.items():
        if what_by is None or name == plural.get(what_by, what_by):
            out[name] = make()
    return out
