"""A finding in words: the same for the terminal, JSON, SARIF and pytest.

For each rule: the title (an observation), the amount in the heading, the note beside the caret, who
holds it, the evidence, and what the change saves and of what. Numbers come from the finding's facts
and its line's figures; nothing is said that nobody measured.
"""

from . import text
from .text import NBSP, change, count, percent, seconds, size

TITLES = {
    "L6": "objects that nobody refers to, and that live on",
    "L1": "blocks that pile up",
    "L7": "native memory that grows, outside of Python",
    "C8": "dead until the collector came",
    "N8": "allocated, and not kept",
    "P1": "few survivors hold many pages",
    "Y1": "the collector walks what does not die",
    "Y3": "every worker imports for itself",
    "Y4": "objects that die just after the young collections",
    "O1": "free in malloc's many heaps",
    "O2": "freed, but not given back",
    "O3": "freed, but not given back",
}
WORK = {"N3", "N8", "P2", "P3", "P4", "C6"}  # bytes allocated, not held


def title(f):
    if f.holder is not None and f.holder.title:
        return f.holder.title
    if f.pattern is not None:
        return f.pattern.title
    if f.rule == "L6" and not f.facts["number"]:
        return "blocks of C code that no object owns, and that live on"
    found = TITLES.get(f.rule)
    if found is None:
        from .rules import RULES

        found = RULES[f.rule].title
    return found


def amount(f):
    """The bytes of the heading."""
    collected = f.verdict == "cyclic" and not f.facts.get("waiting", 1)
    return size(f.bytes) + (" allocated" if is_work(f) else " collected" if collected else "")


def is_work(f):
    """Whether the bytes are allocations over the run, not memory at a time."""
    return f.verdict == "churn" and f.rule in WORK or f.rule in ("N2", "N4", "N5") and f.bytes > f.facts.get("line_peak", 0)


def rate(process, slope):
    """A slope with its interval, per minute; per second of a shorter run: not beyond what was."""
    per, name = (60, "minute") if process.duration_ns >= 60e9 else (1, "second")
    return f"{text.with_error(slope.per_second * per, slope.error * per)} per{NBSP}{name}"


def verdict(r, f, who):
    """The verdict's sentence and the line below it, for the finding that decides it."""
    where = r.where(f.line) if f.line is not None else ""
    facts = f.facts
    if f.holder is not None and f.holder.verdict:
        return f.holder.verdict(r, f, who)
    if f.rule == "L6":
        what = f"{count(facts['number'])} {facts.get('type', 'objects')}" if facts["number"] else f"{size(facts['raw'])} of blocks"
        head = f"{rate(f.process, f.slope)}, with no plateau{who}" if f.slope else f"{size(f.bytes)} in objects that nobody refers to{who}"
        return head, f"{what}, made by {where}: C code {'holds a reference too many' if facts['number'] else 'does not free them'}"
    if f.verdict == "leak":
        head = f"{rate(f.process, f.slope)}, with no plateau{who}" if f.slope else f"{size(f.bytes)} that only grew{who}"
        return head, f"suspect: {where}"
    if f.rule == "L7":
        return (
            f"native memory grows by {rate(f.process, f.slope)}, outside of Python{who}",
            "Python's own does not: C code keeps it" + (f"; meanwhile the program is at {where}" if where else ""),
        )
    if f.verdict == "cyclic" and "by_collector" in facts:
        if facts["waiting"]:
            first = f"{size(facts['waiting'])} was dead at once, waiting for the collector; the peak is {size(facts['peak'])}{who}"
        else:
            first = (
                f"the collector frees {percent(facts['by_collector'], facts['freed'])} "
                "of all freed bytes, and takes "
                f"{percent(facts['collector_s'], facts['duration'])} of the time{who}"
            )
        return first, f"{where} makes {percent(facts['line_bytes'], r.collected(f))} of what it frees"
    if f.verdict == "allocator":
        used = facts.get("live", 0)
        if f.rule == "P1":
            return (
                f"RSS stays at {size(facts['rss'])}, but only {size(used)} of Python's memory is in use{who}",
                f"{size(facts['holes'])} lies in holes between live blocks; {where} made most of what is left" if where else "",
            )
        return (
            f"RSS stays at {size(facts['rss'])}, but only {size(used)} is in use{who}",
            f"malloc keeps {size(facts['free'])} that was freed" + (f" ({where})" if where else ""),
        )
    if f.rule in ("Y1", "Y4"):
        return (
            f"the collector takes {percent(facts['collector_s'], facts['duration'])} of the time, for nothing{who}",
            f"{count(facts['collections'])} collections in {seconds(facts['duration'])}",
        )
    if f.rule == "Y3":
        return (
            f"{facts['workers']} processes import for themselves: {size(f.bytes)} of {size(facts['live'])}",
            f"{size(facts['each'])} each; heaviest: {where}",
        )
    if f.verdict == "churn":
        if is_work(f):
            return (
                f"{size(facts['allocated'])} allocated to keep {size(facts['peak'])}; the peak is fine, the work is not{who}",
                f"{where} makes {percent(f.bytes, facts['allocated'])} of it",
            )
        return (
            f"{percent(f.bytes, facts['peak'])} of the peak, {size(f.bytes)} of {size(facts['peak'])}, need not be{who}",
            f"{where}: {title(f)}",
        )
    if f.verdict == "retention" and "live" in facts:
        return f"{size(f.bytes)} of {size(facts['live'])} live need not be held{who}", f"{where}: {title(f)}"
    return f"{size(f.bytes)}{who}", where


def note(r, f):
    """What stands beside the caret."""
    if f.holder is not None and f.holder.note:
        return f.holder.note
    if f.pattern is not None and f.pattern.note:
        return f.pattern.note
    lines, i, facts = r.lines, f.measured, f.facts
    if f.rule == "L1":
        if r.released(f):
            kept = size(r.of(f, "live_bytes"))
            return f"{size(f.bytes)} live at {seconds(f.slope.end)}, {kept} at the end"
        return f"{count(lines['live_blocks'][i])} blocks live at the end"
    if f.verdict == "cyclic":
        blocks, nbytes = lines["gc_freed_blocks"][i], lines["gc_freed_bytes"][i]
        return f"{count(blocks)} blocks, {size(nbytes)} freed by the collector"
    if f.rule == "L6":
        if facts["number"]:
            return f"{count(facts['number'])} {facts.get('type', 'objects')} made here, and nothing refers to them"
        return f"{size(facts['raw'])} in blocks that belong to no object"
    if f.rule == "N8":
        blocks = facts["temporary_blocks"]
        return f"{count(blocks)} blocks, {size(f.bytes / blocks)} each on average"
    if f.rule in ("O1", "O2", "O3"):
        return f"{size(facts.get('passed', 0))} passed through here, {size(facts.get('each', 0))} each; all of it was freed"
    if f.rule == "P1":
        return f"{count(facts.get('survivors', 0))} blocks, {size(facts.get('survivors_bytes', 0))}, are still live"
    if f.rule == "L7":
        return "of the program's lines, this one allocates most while it grows"
    if f.rule == "Y1":
        return "asks for full collections" if facts["asked"] else f"{count(facts.get('live_blocks', 0))} blocks that live on"
    if f.rule == "Y4":
        return f"{count(facts['middle'])} of {count(facts['freed_blocks'])} die in their middle age"
    return ""


def evidence(r, f):
    if f.holder is not None and f.holder.evidence:
        return f.holder.evidence
    lines, i, facts = r.lines, f.measured, f.facts
    if f.rule == "L1":
        s = f.slope
        told = f"{change(s.rise)} from {seconds(s.start)} to {seconds(s.end)}; its lowest level rose in {facts['up']} of {facts['steps']} steps"
        kept = lines["live_bytes"][i]
        if r.released(f):
            told += "; it was freed before the end, so it may be just what the program works on"
        elif lines["allocated_bytes"][i]:
            told += f"; {percent(kept, lines['allocated_bytes'][i])} of what it ever allocated is live at the end"
        return told
    if f.rule == "L6":
        return f"{count(facts['number'])} reference counts that no object of the snapshot explains; born all along" if facts["number"] else "raw blocks of C code, more and more"
    if f.rule == "L7":
        s = f.slope
        what = "RSS that neither Python nor malloc accounts for" if facts.get("mapped") else "RSS outside of Python, most of it free in malloc and not used again" if facts.get("freed_grows") else "malloc's live bytes less Python's"
        return f"{what}: {change(s.rise)} from {seconds(s.start)} to {seconds(s.end)}"
    if f.verdict == "cyclic" and "by_collector" in facts:
        told = f"{percent(lines['gc_freed_bytes'][i], lines['freed_bytes'][i])} of the bytes it freed went in a collection"
        n = facts["collections"]
        if n:
            told += (
                f"; {count(n)} collection{'s' if n > 1 else ''} took {seconds(facts['collector_s'])} "
                f"of {seconds(f.process.duration_ns / 1e9)}"
            )
        return told
    if f.rule in ("O1", "O2", "O3"):
        told = f"{percent(facts['free'], facts['rss'])} of RSS is free in malloc at the end"
        if f.rule == "O1":
            told += f"; {facts['threads']} threads allocated"
        return told
    if f.rule == "P1":
        return f"{percent(facts['holes'], facts['rss'])} of RSS lies between live blocks at the end"
    if f.rule == "Y1":
        return f"{count(facts['collections'])} full collections took {seconds(facts['collector_s'])} and freed {size(facts['reclaimed'])}"
    if f.rule == "Y4":
        return f"{count(facts['collections'])} young collections took {seconds(facts['collector_s'])}"
    if f.rule == "Y3":
        return f"{facts['workers']} processes, {size(facts['each'])} of imports each"
    if "line_allocated" in facts:
        alive = size(lines["peak_bytes"][i])
        told = f"{count(facts['blocks'])} blocks, {size(facts['line_allocated'])}; {alive} of this line was alive at the peak"
        if is_work(f) and lines["temporary_bytes"][i] * 2 > lines["allocated_bytes"][i]:
            told = f"{count(facts['blocks'])} blocks, {size(facts['line_allocated'])}, freed within 10{NBSP}ms of birth; {alive} alive at the peak"
        return told
    return ""


def fix(r, f):
    """What to change, in words; '' where nothing is known that would help."""
    if f.holder is not None and f.holder.fix:
        return f.holder.fix
    if f.pattern is not None:
        return f.pattern.fix
    facts = f.facts
    return {
        "L1": "see who keeps it, and bound that",
        "L6": "upgrade the extension that is called here; in its code: "
        + ("Py_DECREF on every path" if facts.get("number") else "free them on every path"),
        "L7": "name the library: run it for a part of the work only; renew the worker until it is repaired",
        "C8": "break the loop at this line: let one of the two refer weakly",
        "P1": "make what lives long before the peak, or copy it: pickle.dumps() of it, drop all, pickle.loads()",
        "Y1": "leave this collection out: it finds nothing to free"
        if facts.get("asked")
        else "after the warm-up: gc.collect(); gc.freeze()",
        "Y3": "import before the workers are forked, and gc.freeze() there",
        "Y4": "gc.set_threshold(50_000, 20, 20)",
        "O1": f"start it with MALLOC_ARENA_MAX=2 ({facts.get('threads', 0)} threads share two heaps)",
        "O2": "start it with MALLOC_MMAP_THRESHOLD_=131072, or use the buffer again",
        "O3": "when a batch ends, give it back: ctypes.CDLL(None).malloc_trim(0)",
        "N8": "reuse what can be reused; hoist out of the loop what does not change",
    }.get(f.rule, "")


def patch(f):
    if f.holder is not None and f.holder.patch:
        return f.holder.patch
    return f.pattern.patch if f.pattern is not None else []


def patch_file(r, f):
    """The file that a patch is of; '' without one."""
    if not patch(f):
        return ""
    told = f.holder if f.holder is not None and f.holder.patch else f.pattern
    return getattr(told, "file", None) or (r.lines.file(f.line) if f.line is not None else "")


def where_fix(f):
    if f.holder is not None and f.holder.fix:
        return f.holder.where
    return f.pattern.where if f.pattern is not None else ""


def saves(r, f):
    """What the change saves, and of what; '' where that is not known."""
    if f.holder is not None and f.holder.saves:
        return f.holder.saves
    facts = f.facts
    if f.verdict == "cyclic" and "waiting" in facts and "collector_s" not in facts:
        return f"up to {size(f.saves)} of {size(facts['peak'])} live{returns(f)}"
    if f.verdict == "cyclic" and "waiting" in facts:
        took = seconds(facts["collector_s"])
        if facts["waiting"]:
            return f"up to {size(facts['waiting'])} of the {size(facts['peak'])} peak, and {took} of {seconds(facts['duration'])}"
        return f"up to {took} of {seconds(facts['duration'])}"
    if f.rule in ("O1", "O2", "O3", "P1", "P5"):
        return f"up to {size(f.saves)} of {size(facts['rss'])} RSS{times_less(f)}"
    if f.rule in ("Y1", "Y4"):
        return f"up to {seconds(facts['collector_s'])} of {seconds(facts['duration'])}"
    if f.rule == "Y3":
        return f"{size(f.saves)} of {size(facts['live'])}"
    if f.verdict == "retention" and "live" in facts:
        return f"{size(f.saves)} of {size(facts['live'])} live"
    if f.verdict == "churn" and f.pattern is not None:
        if f.pattern.gain is not None and is_work(f):
            return gained(f)
        if is_work(f):
            return f"up to {size(f.bytes)} of {size(facts['allocated'])} allocated{times_less(f)}; the peak stays as it is"
        return f"up to {size(f.bytes)} of the {size(facts['peak'])} peak"
    return ""


MAPPED = 1 << 20  # bytes from which a new buffer may be new pages each time, as the heap lies; what is timed is the other case


def gained(f):
    """What was timed of the change, on the machine that reports; times the number that the recording counted."""
    g, facts = f.pattern.gain, f.facts
    before, after = g.ns()
    told = ""
    if g.factor >= 1.1:
        least = "at least " if g.what == "buffer" and g.before >= MAPPED else ""
        told = f"{least}{g.factor:.1f} times as fast to make and {'fill' if g.what == 'buffer' else 'drop'} ({_ns(before)} -> {_ns(after)}, measured here): "
        told += f"{least or 'about '}{seconds(g.seconds)} of {seconds(facts['cpu'])}, and "
    told += f"up to {size(f.bytes)} of {size(facts['allocated'])} allocated"
    if g.after < g.before:
        told += f"; {g.after} bytes each instead of {g.before}"
    return told + "; the peak stays as it is"


def _ns(n):
    return f"{n:.0f}{NBSP}ns" if n < 10_000 else f"{n / 1000:.0f}{NBSP}\u00b5s"


def expected(f):
    """The same as JSON has it; None where nothing is promised. P1, P4 and P5: of bytes, since no time was measured."""
    gain = f.pattern.gain if f.pattern is not None else None
    if gain is not None:
        return gain.data()
    if f.rule not in ("P1", "P4", "P5"):
        return None
    what, before, less = ("RSS", f.facts["rss"], f.saves) if f.rule != "P4" else ("allocated", f.facts["allocated"], f.bytes)
    before, after = int(before), max(int(before - less), 1)
    return {"what": what, "number": None, "factor": round(before / after, 1), "ns_before": None, "ns_after": None, "seconds": None,
            "bytes_before": before, "bytes_after": after}  # fmt: skip


def times_less(f):
    """', 2.3 times less', where a factor of bytes is promised."""
    promised = expected(f) if f.rule in ("P1", "P4", "P5") else None
    return f", {promised['factor']:.1f} times less" if promised and promised["factor"] >= 1.1 else ""


def returns(f):
    """'; the system gets 5.2 MiB back', where a snapshot has the heap's pages."""
    back = f.facts.get("returns", -1)
    if back < 0:
        return ""
    return f"; the system gets {size(back)} back" if back else "; no page becomes free: RSS stays as it is"


def returns_bytes(f):
    """What the system would get back, or None where that is not known."""
    back = f.facts.get("returns", -1)
    return int(back) if back >= 0 else None


def saves_bytes(f):
    return f.saves or (f.bytes if f.pattern is not None else 0)


def held(f):
    """Who holds it, as one line of text; '' where no snapshot tells."""
    return f.holder.held if f.holder is not None else ""


def sure(f):
    """What would raise the confidence, where it is not high."""
    if f.confidence >= 0.8:
        return ""
    if f.suspect and f.holder is None and not f.process.words("snapshots"):
        return "a snapshot would tell who keeps it: memsure run --snapshot=peak"
    return ""


def short(r, f):
    """A finding's line in the list of the others."""
    waited = "left to the collector: " if f.verdict == "cyclic" and not f.facts.get("waiting", 1) else ""
    if f.holder is not None and f.holder.short:
        return waited + f.holder.short
    if f.rule == "L1":
        return f"piles up: {rate(f.process, f.slope)}"
    if waited:
        return waited + title(f)
    if is_work(f):
        return f"allocated, not kept: {title(f)}"
    return title(f)


def one_line(r, f):
    """For check: 'dict Catalog._by_key grows 31.0 MiB per minute'."""
    if f.holder is not None and f.holder.one_line:
        return f.holder.one_line
    if f.slope is not None:
        return f"{title(f)}: {rate(f.process, f.slope)}"
    return f"{title(f)}, {amount(f)}"
