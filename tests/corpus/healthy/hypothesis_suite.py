"""A test suite with hypothesis and fixtures of all scopes, run by pytest."""

import sys
import tempfile
from pathlib import Path

import pytest

TESTS = """
import pytest
from hypothesis import given, settings, strategies as st

@pytest.fixture(scope="session")
def table():
    return {n: str(n) * 20 for n in range(20_000)}

@pytest.fixture
def items(table):
    return list(table.items())[:500]

def encode(text):
    out = []
    for c in text:
        if out and out[-1][0] == c:
            out[-1][1] += 1
        else:
            out.append([c, 1])
    return out

def decode(pairs):
    return "".join(c * n for c, n in pairs)

@settings(max_examples=300, deadline=None)
@given(st.text())
def test_back(text):
    assert decode(encode(text)) == text

@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers()), st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False)))
def test_sorted(numbers, table):
    assert sorted(sorted(numbers)) == sorted(numbers)
    assert dict(sorted(table.items())) == table

@pytest.mark.parametrize("n", range(300))
def test_items(items, n):
    assert items[n][0] == n

def test_raises():
    with pytest.raises(KeyError) as info:
        {}["x"]
    assert "x" in str(info.value)
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_it.py").write_text(TESTS)
        status = pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:memsure", folder])
    sys.exit(status)


main()
