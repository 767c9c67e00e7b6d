"""%%memsure in IPython, where it is installed."""

import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

PROGRAM = r"""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="NoColor")
cells = [
    "%load_ext memsure",
    "%%memsure\nx = [object() for _ in range(100_000)]\ny = bytearray(10_000_000)\ndel y\n",
    "%memsure z = bytearray(1_000_000)",
    "%memsure",
    "assert len(x) == 100_000 and len(z) == 1_000_000; print('names are kept')",
    "%%memsure\n1 / 0",
    "%reload_ext memsure",
    "%memsure",
    "%unload_ext memsure",
    "%memsure",
    "%load_ext memsure",
    "%%memsure --nope\nw = 1",
    "print('w' in globals(), get_ipython().find_line_magic('memsure').__doc__)",
]
for i, cell in enumerate(cells):
    print(f"== {i}", flush=True)
    shell.run_cell(cell)
"""


def test_cells(tmp_path):
    pytest.importorskip("IPython")
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                          env={**__import__("os").environ, "IPYTHONDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    parts = dict((int(n), text) for n, text in re.findall(r"== (\d+)\n(.*?)(?===|\Z)", done.stdout, re.S))
    assert parts[0] == ""
    assert re.match(r"this cell: 2\d\.\d MiB allocated, 3\.\d+ MiB kept, peak \+1[23]\.\d MiB", parts[1])
    big, many = parts[1].splitlines()[2:4]
    assert big.split()[:6] == ["9.54", "MiB", "0", "B", "9.54", "MiB"] and "bytearray(10_000_000)" in big and ":2 " in big
    assert "range(100_000)" in many and ":1 " in many
    assert re.match(r"this line: 1\.\d+ MiB allocated, 9\d\d KiB kept", parts[2])
    assert "since %load_ext memsure" in parts[3] and "range(100_000)" in parts[3]
    assert "names are kept" in parts[4]
    assert "ZeroDivisionError" in parts[5] and "this cell: " in parts[5]
    assert "since %load_ext memsure" in parts[7] and "10_000_000" not in parts[7]
    assert "not found" in parts[9] + done.stderr
    assert parts[11] == "error: %%memsure has no '--nope'\n  try: %%memsure alone on the cell's first line\n"
    assert parts[12].startswith("False What memory a cell")


def test_in_a_kernel(tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cells = ["%load_ext memsure", "import json\nrows = [{'i': i, 'text': 'x' * 50} for i in range(20_000)]",
             "%%memsure\nagain = json.loads(json.dumps(rows))", "%%memsure\nimport asyncio\nawait asyncio.sleep(0)", "%%memsure\n1 / 0", "len(again)"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(book, timeout=100, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = ["".join(o.get("text", o.get("evalue", "")) for o in c.outputs if o.get("name") != "stderr") for c in book.cells]
    assert said[0] == said[1] == ""
    # The line that makes it is a library's.
    assert re.match(r"this cell: [23]\d\.\d MiB allocated, [5-8]\.\d+ MiB kept", said[2]) and "json/decoder.py:" in said[2].splitlines()[2], said[2]
    assert said[3].startswith("error: what awaits cannot be run inside of a magic\n  try: m = memsure.mark()")
    assert "division by zero" in said[4] and "In[" in said[4].splitlines()[2], said[4]
    assert book.cells[5].outputs[0]["data"]["text/plain"] == "20000"
