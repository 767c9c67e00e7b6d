"""`memsure check`: findings for machines and reviews, and an exit status.

    memsure check FILE|FOLDER          of a recording
    memsure check -- command           record it first (check app.py does, too)

0: nothing above the baseline, 1: findings, 2: wrong use, 3: data that cannot be read. Formats: text (a
line each, the form that editors parse), json, sarif (2.1.0), markdown, github (annotations), gitlab
(code quality).

Left out: what --ignore, `# memsure: ignore[L1]` on the line, or [tool.memsure] in pyproject.toml
name; what is milder than --severity; what the baseline holds. A baseline knows a finding by its rule,
file, function and the text of its line, so that it is known again when lines move.
"""

import json
import os
import sys

from . import text, words
from .recording import Unreadable, foreign
from .report import Report, finding_data
from .text import NBSP

SEVERITY = {"leak": "error", "not yours": "warning", "cyclic": "warning", "retention": "warning", "allocator": "warning", "churn": "note"}
LEVELS = ("note", "warning", "error")
FORMATS = ("text", "json", "sarif", "markdown", "github", "gitlab")
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
KNOWN = {"severity", "ignore", "paths", "baseline", "least-bytes"}


class Config:
    """[tool.memsure] of the nearest pyproject.toml: severity, ignore, paths, baseline, least-bytes."""

    def __init__(self, folder="."):
        self.severity = "note"
        self.ignore = set()
        self.paths = []
        self.baseline = None
        self.least = 0
        self.file = None
        here = os.path.abspath(folder)
        while True:
            path = os.path.join(here, "pyproject.toml")
            if os.path.isfile(path):
                self._read(path)
                return
            up = os.path.dirname(here)
            if up == here:
                return
            here = up

    def _read(self, path):
        import tomllib

        try:
            with open(path, "rb") as f:
                table = tomllib.load(f).get("tool", {}).get("memsure", {})
        except OSError:
            return
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
            raise Wrong(f"pyproject.toml cannot be read: {e}") from None
        if not isinstance(table, dict):
            raise Wrong("[tool.memsure] in pyproject.toml is no table")
        for key in table:
            if key not in KNOWN:
                raise Wrong(f"[tool.memsure] in pyproject.toml knows no '{key}'; it takes {', '.join(sorted(KNOWN))}")
        self.file = path
        folder = os.path.dirname(path)
        severity = table.get("severity", self.severity)
        if severity not in LEVELS:
            raise Wrong(f"severity in pyproject.toml is one of {', '.join(LEVELS)}, not '{severity}'")
        self.severity = severity
        self.ignore = {str(i).upper() for i in _list(table, "ignore")}
        self.paths = [os.path.join(folder, str(p)) for p in _list(table, "paths")]
        if table.get("baseline"):
            self.baseline = os.path.join(folder, str(table["baseline"]))
        least = table.get("least-bytes", 0)
        if not isinstance(least, int):
            raise Wrong("least-bytes in pyproject.toml is a number of bytes")
        self.least = least


def _list(table, key):
    found = table.get(key, [])
    if not isinstance(found, list):
        raise Wrong(f"{key} in pyproject.toml is a list")
    return found


class Wrong(Exception):
    """Wrong use: exit 2; with what to write instead, where that is known."""

    def __init__(self, sentence, hint=None):
        super().__init__(sentence)
        self.hint = hint


def check(settings, loaded, status=0):
    """Say what was found -> exit status; `status` is the program's own, where it was just run."""
    config = Config()
    r = Report(loaded)
    severity = settings.severity or config.severity
    ignore = config.ignore | {i.upper() for i in (settings.ignore or "").replace(",", " ").split()}
    from .rules import RULES

    unknown = sorted(i for i in ignore if i not in RULES)
    if unknown:
        raise Wrong(f"there is no rule '{unknown[0]}'", "memsure explain")
    shown, dropped = [], 0
    for f in r.judged.findings:
        if f.rule in ignore or LEVELS.index(SEVERITY[f.verdict]) < LEVELS.index(severity) or f.bytes < config.least:
            continue
        if config.paths and not any(_inside(absolute(r, f), p) for p in config.paths):
            continue
        if suppressed(r, f):
            dropped += 1
            continue
        shown.append(f)
    known = 0
    if settings.write_baseline:
        write_baseline(r, shown, settings.write_baseline)
    baseline = settings.baseline or config.baseline
    if baseline and not (settings.write_baseline and not os.path.exists(baseline)):
        held = read_baseline(baseline)
        fresh = [f for f in shown if fingerprint(r, f) not in held]
        known, shown = len(shown) - len(fresh), fresh
    if settings.write_baseline:
        known, shown = known + len(shown), []
    how = settings.format or ("json" if settings.json else "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text")
    out = {"text": as_text, "json": as_json, "sarif": as_sarif, "markdown": as_markdown, "github": as_github, "gitlab": as_gitlab}[how](
        r, shown, known, dropped
    )
    from .cli import write

    if settings.output:
        written(settings.output, out)
    else:
        write(sys.stdout, out)
    return 1 if shown else status or (3 if r.judged.kind == "unrecorded" and loaded.damaged else 0)


def written(path, out):
    """Write a text to a file; never over a recording, which cannot be made again."""
    try:
        if os.path.isfile(path) and foreign(path) is None:
            raise Wrong(f"'{path}' is a recording", "-o memsure.sarif, or --write-baseline memsure-baseline.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(out)
    except OSError as e:
        raise Wrong(f"cannot write {path}: {(e.strerror or str(e)).lower()}", f"-o /tmp/{os.path.basename(path)}") from None


def absolute(r, f):
    return os.path.normpath(r.sources.path(r.lines.file(f.line))) if f.line is not None else ""


def _inside(path, folder):
    folder = os.path.normpath(folder)
    return path == folder or path.startswith(folder + os.sep)


def place(r, f):
    """(file as it is best opened from here, line, column from 1)."""
    if f.line is None:
        return "", 0, 0
    number, start, _ = r.marked_site(f)
    path, here = absolute(r, f), os.getcwd()
    if _inside(path, here):
        path = os.path.relpath(path, here)
    elif r.lines.file(f.line).startswith("<"):
        path = r.lines.file(f.line)
    return path, max(number, 0), start + 1 if start >= 0 else 1


def suppressed(r, f):
    """Whether the line says `# memsure: ignore[L1]`, or `# memsure: ignore`."""
    import re

    if f.line is None:
        return False
    for number in {r.lines.line(f.line), r.marked_site(f)[0]}:
        line = r.sources.line(r.lines.file(f.line), number) or ""
        found = re.search(r"#\s*memsure:\s*ignore(?:\[([A-Za-z0-9, ]*)\])?", line)
        if found and (found[1] is None or f.rule in found[1].upper().replace(",", " ").split()):
            return True
    return False


def said(words_):
    return text.Paper().fix(words_).replace(NBSP, " ")


def fingerprint(r, f):
    path, number, _ = place(r, f)
    line = (r.sources.line(r.lines.file(f.line), number) or "").strip() if f.line is not None else ""
    function = r.lines.function(f.line) if f.line is not None else ""
    return f.rule, path.replace(os.sep, "/"), function, line


def write_baseline(r, findings, path):
    rows = [
        {"rule": k[0], "file": k[1], "function": k[2], "line": k[3]} for k in sorted({fingerprint(r, f) for f in findings})
    ]
    written(path, json.dumps({"memsure": "baseline", "version": 1, "findings": rows}, indent=1, ensure_ascii=False) + "\n")


def read_baseline(path):
    try:
        with open(path, encoding="utf-8") as f:
            data = json.load(f)
        return {(row["rule"], row["file"], row["function"], row["line"]) for row in data["findings"]}
    except FileNotFoundError:
        raise Unreadable(f"the baseline '{path}' does not exist", f"memsure check --write-baseline {path} run.memsure") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise Unreadable(f"'{path}' is no baseline of memsure", "memsure check --write-baseline memsure-baseline.json run.memsure") from None


# -- formats


def _summary(shown, known, dropped):
    if not shown:
        first = "no findings"
    else:
        by = {}
        for f in shown:
            by[f.verdict] = by.get(f.verdict, 0) + 1
        each = ", ".join(f"{n} {kind}" for kind, n in by.items())
        first = f"{len(shown)} finding{'s' if len(shown) > 1 else ''} ({each})"
    if known:
        first += f"; {known} in baseline, not shown"
    if dropped:
        first += f"; {dropped} ignored in the source"
    return first + (f". memsure explain {shown[0].rule}" if shown else "")


def as_text(r, shown, known, dropped):
    out = []
    for f in shown:
        path, line, column = place(r, f)
        head = f"{path}:{line}:{column}: " if path else ""
        out.append(said(f"{head}{f.rule} {words.one_line(r, f)}"))
    if r.judged.kind == "unrecorded":
        out.append(said("not judged: " + r.verdict_text()[0]))
    out.append(_summary(shown, known, dropped))
    return "\n".join(out) + "\n"


def as_json(r, shown, known, dropped):
    first, second = r.verdict_text()
    data = {
        "schema": 1,
        "verdict": {"kind": r.judged.kind, "text": said(first), "detail": said(second)},
        "findings": [{**finding_data(r, f), "severity": SEVERITY[f.verdict]} for f in shown],
        "in_baseline": known,
        "ignored": dropped,
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _message(r, f):
    """One paragraph: what, the evidence, the fix, what it saves."""
    parts = [words.one_line(r, f), words.held(f) and "held by " + words.held(f), words.evidence(r, f)]
    parts += [words.fix(r, f) and "fix: " + words.where_fix(f) + words.fix(r, f), words.saves(r, f) and "saves " + words.saves(r, f)]
    return said(". ".join(p for p in parts if p))


def as_sarif(r, shown, known, dropped):
    from . import __version__
    from .rules import PRINCIPLES, RULES

    ids = sorted({f.rule for f in shown})
    rules = []
    for i in ids:
        rule = RULES[i]
        rules.append(
            {
                "id": i,
                "name": "".join(w.capitalize() for w in rule.title.replace(",", "").replace("'", "").split()),
                "shortDescription": {"text": rule.title},
                "fullDescription": {"text": rule.happens or rule.title},
                "help": {"text": f"{rule.seen}\nWrong: {rule.wrong}\nRight: {rule.right}\nLeave it when {rule.leave}"},
                "properties": {"tags": [PRINCIPLES[rule.principle]]},
            }
        )
    results = []
    for f in shown:
        path, line, column = place(r, f)
        one = {
            "ruleId": f.rule,
            "ruleIndex": ids.index(f.rule),
            "level": SEVERITY[f.verdict],
            "message": {"text": _message(r, f)},
            "partialFingerprints": {"memsure/v1": _digest("\0".join(fingerprint(r, f)))},
            "properties": {"bytes": f.bytes, "saves_bytes": words.saves_bytes(f), "returns_bytes": words.returns_bytes(f), "verdict": f.verdict, "confidence": round(f.confidence, 2)},
        }
        if path:
            location = {"physicalLocation": {"artifactLocation": _uri(path), "region": {"startLine": max(1, line), "startColumn": column}}}
            function = r.marked_function(f)
            if function:
                location["logicalLocations"] = [{"fullyQualifiedName": function, "kind": "function"}]
            one["locations"] = [location]
            patch = words.patch(f)
            if patch and not f.pattern_elsewhere:
                one["fixes"] = [_sarif_fix(r, f, path, patch)]
        results.append(one)
    run = {
        "tool": {"driver": {"name": "memsure", "version": __version__, "semanticVersion": __version__, "rules": rules}},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {"SRCROOT": {"uri": "file://" + _quote(os.getcwd().rstrip("/")) + "/"}},
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1) + "\n"


def _sarif_fix(r, f, path, patch):
    """Lines taken out and put in, each a replacement of whole lines."""
    replacements = []
    for number, sign, line in patch:
        if sign == "-":
            region = {"startLine": number, "startColumn": 1, "endLine": number + 1, "endColumn": 1}
            replacements.append({"deletedRegion": region})
        else:
            region = {"startLine": number, "startColumn": 1, "endLine": number, "endColumn": 1}
            replacements.append({"deletedRegion": region, "insertedContent": {"text": line + "\n"}})
    return {
        "description": {"text": said(words.fix(r, f)) or "the change"},
        "artifactChanges": [{"artifactLocation": _uri(path), "replacements": replacements}],
    }


def _uri(path):
    if os.path.isabs(path):
        return {"uri": "file://" + _quote(path)}
    return {"uri": _quote(path.replace(os.sep, "/")), "uriBaseId": "SRCROOT"}


def _quote(path):
    from urllib.parse import quote

    return quote(path, safe="/._-~")


def _digest(s):
    from hashlib import sha256

    return sha256(s.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def as_markdown(r, shown, known, dropped):
    first, second = r.verdict_text()
    out = [f"### memsure: {said(r.judged.kind)}", "", _escaped(said(first)) + ("  " if second else "")]
    if second:
        out.append(_escaped(said(second)))
    out.append("")
    if shown:
        out += ["| rule | where | what | bytes | saves |", "| --- | --- | --- | ---: | --- |"]
    for f in shown:
        path, line, _ = place(r, f)
        where = f"`{path}:{line}`" if path else ""
        cells = [f.rule, where, *map(_escaped, map(said, (words.one_line(r, f), text.size(f.bytes), words.saves(r, f))))]
        out.append("| " + " | ".join(cells) + " |")
    for f in shown:
        patch = words.patch(f)
        if patch:
            out += ["", f"**{f.rule}** {_escaped(said(words.where_fix(f) + words.fix(r, f)))}", "", "```diff"]
            out += [f"{sign}{line}" for _, sign, line in patch] + ["```"]
    out += ["", _summary(shown, known, dropped)]
    return "\n".join(out) + "\n"


def _escaped(s):
    for c in "\\|<>*_`[]":
        s = s.replace(c, "\\" + c)
    return s


def as_github(r, shown, known, dropped):
    out = []
    for f in shown:
        path, line, column = place(r, f)
        level = {"note": "notice"}.get(SEVERITY[f.verdict], SEVERITY[f.verdict])
        where = f"file={_property(path)},line={max(1, line)},col={column}," if path else ""
        title = _property(said(f"{f.rule} {words.title(f)}"))
        message = _message(r, f).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        out.append(f"::{level} {where}title={title}::{message}")
    out.append(_summary(shown, known, dropped))
    return "\n".join(out) + "\n"


def _property(s):
    for a, b in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C")):
        s = s.replace(a, b)
    return s


def as_gitlab(r, shown, known, dropped):
    rows = []
    for f in shown:
        path, line, _ = place(r, f)
        rows.append(
            {
                "description": _message(r, f),
                "check_name": f.rule,
                "fingerprint": _digest("\0".join(fingerprint(r, f))),
                "severity": {"error": "critical", "warning": "major", "note": "minor"}[SEVERITY[f.verdict]],
                "location": {"path": path, "lines": {"begin": max(1, line)}},
            }
        )
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
