"""memsure.snapshot(): what is in the file is what is in the program."""
import json
import subprocess
import sys

import pytest

import decode
from conftest import clean_env, run, MEMSURE


class Snap:
    """A snapshot read by the second decoder: nodes, edges by name, sizes."""

    def __init__(self, path, prefix=""):
        self.file = f = decode.decode(path)
        self.prefix = prefix
        self.strings = s = f.strings()
        self.info = {s[k]: s[v] for k, v in zip(self.column("snap_info", "key"), self.column("snap_info", "value"))}
        self.shape, self.degree = self.column("objects", "shape"), list(self.column("objects", "degree"))
        for node, degree in zip(self.column("wide", "node"), self.column("wide", "degree")):
            self.degree[node] = degree
        self.first = [0]
        for d in self.degree:
            self.first.append(self.first[-1] + d)
        self.to = self.column("edges", "to")
        self.shape_type = self.column("shapes", "type")
        self.said_of, self.allocated_of = self.column("shapes", "said"), self.column("shapes", "allocated")
        self.type_name = [s[i] for i in self.column("types", "name")]
        self.rest = self.column("types", "rest")
        self.field_first, self.field_count = self.column("types", "field_first"), self.column("types", "field_count")
        self.fields = [s[i] for i in self.column("fields", "name")]
        self.labels = {e: s[n] for e, n in zip(self.column("labels", "edge"), self.column("labels", "name"))}
        self.texts = {n: s[t] for n, t in zip(self.column("texts", "node"), self.column("texts", "text"))}
        self.unexplained = dict(zip(self.column("unexplained", "node"), self.column("unexplained", "refs")))
        self.site = self.column("objects", "site")
        self.birth = self.column("objects", "birth")
        self.nodes = len(self.shape)
        self.objects = int(self.info["objects"])
        address = self.column("objects", "address")
        self.address = {}
        for base, first, count in zip(*(self.column("regions", c) for c in ("base", "first", "count"))):
            for node in range(first, first + count):
                self.address[node] = base + 8 * address[node]
        self.at = {a: n for n, a in self.address.items()}

    def column(self, table, name):
        return self.file.column(self.prefix + table, name)

    def type(self, node):
        return self.type_name[self.shape_type[self.shape[node]]]

    def said(self, node):
        return self.said_of[self.shape[node]]

    def allocated(self, node):
        return self.allocated_of[self.shape[node]]

    def edges(self, node):
        """[(name, kind, target)] in order, empty places left out."""
        t = self.shape_type[self.shape[node]]
        names = self.fields[self.field_first[t]:self.field_first[t] + self.field_count[t]]
        out, key = [], 0
        for i, e in enumerate(range(self.first[node], self.first[node + 1])):
            target, kind = self.to[e] & 0x3FFFFFFF, self.to[e] >> 30
            if e in self.labels:
                name = self.labels[e]
            elif i < len(names):
                name = names[i]
            else:
                k = i - len(names)
                name = {1: f"[{k}]", 2: "key" if k % 2 == 0 else self.texts.get(key, "?")}.get(self.rest[t])
                if self.rest[t] == 2 and k % 2 == 0:
                    key = target
            if target or kind:
                out.append((name, kind, target))
        return out

    def edge(self, node, name):
        return {n: t for n, _, t in self.edges(node)}[name]


SNAPSHOT = """
import json, sys
import memsure
def snap(say=None, **objects):
    memsure.snapshot(sys.argv[1])
    print(json.dumps({"say": say} | {k: id(v) for k, v in objects.items()}))
"""


@pytest.fixture(params=["plain", "recorded"])
def snapshot(request, tmp_path):
    """snapshot(source) runs it, with a function snap(**facts), plain and under memsure run: (Snap, facts)."""
    def take(source, *, recorded=request.param == "recorded", **more):
        (tmp_path / "app.py").write_text(SNAPSHOT + source)
        out = tmp_path / "snap.memsure"
        command = [str(tmp_path / "app.py"), str(out)]
        done = run([*MEMSURE, "run", "-q", "-o", str(tmp_path / "run.memsure"), *command] if recorded else [sys.executable, *command],
                   cwd=tmp_path, **more)
        assert done.returncode == 0, done.stderr
        return Snap(out), json.loads(done.stdout)
    return take


def test_an_instance_and_what_it_holds(snapshot):
    s, facts = snapshot("""
class A:
    def __init__(self):
        self.x = [1.5, "two"]
        self.y = {"key": self}
class B:
    __slots__ = ("p", "q")
a, b = A(), B()
b.q = a
snap(a=a, x=a.x, y=a.y, b=b, two=a.x[1], half=a.x[0])
""")
    a = s.at[facts["a"]]
    assert s.type(a) == "__main__.A" and s.type(s.at[facts["b"]]) == "__main__.B"
    assert s.edge(a, "x") == s.at[facts["x"]] and s.edge(a, "y") == s.at[facts["y"]]
    assert [t for _, _, t in s.edges(s.at[facts["x"]])] == [s.at[facts["half"]], s.at[facts["two"]]]
    assert [(n, t) for n, _, t in s.edges(s.at[facts["y"]])][1][1] == a
    assert s.edges(s.at[facts["b"]]) == [("q", 0, a)]
    assert a not in s.unexplained
    assert s.info["complete"] == "1" and int(s.info["nodes"]) == s.nodes


def test_objects_carry_their_birth_line(snapshot, request):
    s, facts = snapshot("""
class A: pass
many = [A() for i in range(300)]
snap(many=many)
""")
    if "recorded" not in request.node.name:
        assert set(s.site[1:s.objects + 1]) == {0}             # nobody knows; but frames have their line
        return
    lines, files = s.column("sites", "line"), s.column("sites", "file")
    nodes = [n for n in range(s.nodes) if s.type(n) == "__main__.A"]
    assert len(nodes) == 300
    assert {lines[s.site[n]] for n in nodes} == {SNAPSHOT.count("\n") + 3}
    assert {s.strings[files[s.site[n]]].rpartition("/")[2] for n in nodes} == {"app.py"}
