"""tools/accuracy.py judges what memsure finds in real programs: the corpus is sound, and the judging is right."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

spec = importlib.util.spec_from_file_location("accuracy", ROOT / "tools" / "accuracy.py")
accuracy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(accuracy)
CORPUS = accuracy.read_corpus()


def test_enough():
    assert len(CORPUS["sick"]) >= 18 and len(CORPUS["healthy"]) >= 15
    names = [e["name"] for e in CORPUS["sick"] + CORPUS["healthy"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("entry", CORPUS["sick"], ids=lambda e: e["name"])
def test_sick(entry):
    assert set(entry) - {"unseen"} == {"name", "bad", "clean", "issue", "bug", "principle", "rules", "culprit", "shows", "python", "clean_python", "clean_program"}
    for which in ("bad", "clean"):
        program = accuracy.program_of(entry, which)
        compile(program.read_text(), program, "exec")
    if entry["clean_program"] == entry["name"]:
        assert entry["issue"].startswith("https://github.com/") and (entry["bad"], entry["python"]) != (entry["clean"], entry["clean_python"])
    else:
        assert entry["issue"] == "" and entry["bad"] == entry["clean"] and program.read_text() != accuracy.program_of(entry, "bad").read_text()
    assert all(re.fullmatch(r"[CRPLYNSOT]\d+", rule) for rule in entry["rules"]) and re.compile(entry["culprit"])
    one = {"blocks_growth": 0, "rss_growth_mib": 0, "rss_mib": 1, "collected": 0, "waiting": 0, "peak_mib": 1, "seconds": 1}
    assert accuracy.reproduces(entry["shows"], one, one) is False and accuracy.measured(entry["shows"], one)
    # All pins are exact, or bound a tool that old releases need.
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+|setuptools<\d+", pin) for pin in entry["bad"] + entry["clean"])


@pytest.mark.parametrize("entry", CORPUS["healthy"], ids=lambda e: e["name"])
def test_healthy(entry):
    assert set(entry) - {"right", "unseen", "clean_python"} == {"name", "pins", "python"}
    program = ROOT / "tests" / "corpus" / "healthy" / f"{entry['name']}.py"
    compile(program.read_text(), program, "exec")
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in entry["pins"])
    assert all(len(right) == 3 and re.compile(right[1]) for right in entry.get("right", []))


def test_no_program_without_entry():
    for kind in ("sick", "healthy"):
        files = {p.stem for p in (ROOT / "tests" / "corpus" / kind).glob("*.py")}
        assert files == {e["name"] for e in CORPUS[kind]} | {e["clean_program"] for e in CORPUS[kind] if kind == "sick"}


def finding(rule, file="/v/lib/python3.11/site-packages/pkg/a.py", line=7, **more):
    return {"rule": rule, "file": file, "line": line, "what": "a dict that only grows", "bytes": 2048, **more}


def test_place():
    findings = [finding("C2"), finding("L1", culprit="b.CACHE"), finding("L1", culprit="a.CACHE", path=["module a", ".CACHE"])]
    assert accuracy.place(findings, ["L1"], r"a\.CACHE")[0] == 3
    assert accuracy.place(findings, ["L1"], r"pkg/a\.py:7$")[0] == 2
    assert accuracy.place(findings, ["L1"], r"module a")[0] == 3
    assert accuracy.place(findings, ["L2"], r"a\.CACHE") == (None, "the culprit is number 3, under L1")
    assert accuracy.place(findings, ["C2"], r"a\.CACHE") == (None, "C2 is number 1, with another culprit")
    assert accuracy.place([], ["C2"], "a")[0] is None
    assert accuracy.same_rule(findings, ["C2", "C3"]) == findings[:1]


def test_wrong():
    findings = [finding("S3"), finding("L1")]
    assert accuracy.wrong(findings, []) == findings
    assert accuracy.wrong(findings, [["S3", r"a\.py", "they are"]]) == findings[1:]
    assert accuracy.wrong(findings, [["S3", r"b\.py", "they are"]]) == findings


def test_reproduces():
    calm = {"blocks_growth": -3, "rss_growth_mib": 0.1, "rss_mib": 30, "collected": 900, "waiting": 0, "peak_mib": 40, "seconds": 1.0}
    for shows, more in {"blocks": {"blocks_growth": 9000}, "rss": {"rss_growth_mib": 3}, "rss_kept": {"rss_mib": 60},
                        "garbage": {"collected": 9000}, "peak": {"peak_mib": 60}, "time": {"seconds": 4}}.items():
        assert accuracy.reproduces(shows, {**calm, **more}, calm)
        assert not accuracy.reproduces(shows, calm, {**calm, **more})


def test_page(tmp_path):
    sick, healthy = CORPUS["sick"][0], CORPUS["healthy"][0]

    class Nothing:
        results = {}

        def key(self, *parts):
            return ""

    rows = [{"entry": sick, "bad": {"findings": [finding("L1")]}, "clean": {"findings": []}, "place": 1, "why": "", "false": [],
             "pass": True},
            {"entry": sick, "bad": {"findings": []}, "clean": {"findings": [finding("L1")]}, "place": None, "why": "no finding",
             "false": [finding("L1")], "pass": False}]
    text = accuracy.page(rows, [{"entry": healthy, "result": {}, "wrong": [finding("N3")], "trouble": None}], Nothing())
    assert "1 of 2" in text and "**missed**: no finding" in text and "| silent |" in text and "| L1 |" in text
    assert "N3 pkg/a.py:7 a dict that only grows" in text and "1 finding on 1" in text
