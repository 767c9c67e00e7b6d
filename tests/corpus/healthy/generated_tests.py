"""A suite with hypothesis, run by pytest."""

import os
import sys

open("test_h.py", "w").write("""
from hypothesis import given, settings, strategies as st, stateful as sf
import json, bisect
@settings(max_examples=300, database=None, derandomize=True, deadline=None)
@given(st.recursive(st.none()|st.booleans()|st.integers()|st.text(), lambda c: st.lists(c)|st.dictionaries(st.text(),c), max_leaves=8))
def test_json(x): assert json.loads(json.dumps(x))==x
@settings(max_examples=300, database=None, derandomize=True, deadline=None)
@given(st.lists(st.integers()))
def test_sort(l):
    s=sorted(l); assert all(a<=b for a,b in zip(s,s[1:])) and len(s)==len(l)
class M(sf.RuleBasedStateMachine):
    def __init__(self): super().__init__(); self.a=[]; self.b=set()
    @sf.rule(x=st.integers())
    def ins(self,x):
        if x not in self.b: bisect.insort(self.a,x); self.b.add(x)
    @sf.invariant()
    def same(self): assert self.a==sorted(self.b)
TestM=M.TestCase
TestM.settings=settings(max_examples=60,database=None,derandomize=True,deadline=None)
""")
import pytest

sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "--no-header", "-p", "no:memsure", "--tb=short", "test_h.py", "-q"]))
