"""pytest runs a suite: parameters, fixtures, expected failures."""
import pathlib
import shutil
import sys
import tempfile

import pytest

root = pathlib.Path(tempfile.mkdtemp())
for n in range(8):
    (root / f"test_part{n}.py").write_text("""
import pytest

@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows"
    path.write_text("\\n".join(str(n) for n in range(50)))
    return [int(line) for line in path.read_text().split()]

@pytest.mark.parametrize("number", range(60))
def test_number(rows, number):
    assert sum(rows[:number]) == number * (number - 1) // 2 or number > 50

@pytest.mark.parametrize("number", range(30))
def test_raises(number):
    with pytest.raises(ZeroDivisionError):
        number / 0

@pytest.mark.xfail
@pytest.mark.parametrize("number", range(10))
def test_not_yet(number):
    assert {"a": number, "b": list(range(number))} == {"a": number, "b": []} and False
""")
status = pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", str(root)])
shutil.rmtree(root)
sys.exit(status)
