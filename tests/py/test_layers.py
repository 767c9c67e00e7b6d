"""Who may know whom: the folders of src are stages, and an include points to its own folder or one to its left.

Python.h lives where Python lives; the rest is plain C, tested and fuzzed without an interpreter. And the package
is light to import: it is imported into every run of the command line, and by the programs of those who use it.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
STAGES = "base record store graph snapshot checks report monitor act py".split()
WITHOUT_PYTHON = {"base", "store", "graph", "checks", "report", "monitor"}
# In record the tables are plain C, too: their tests link them without an interpreter.
PLAIN_RECORD = {f"{name}.{ext}" for name in ("slab", "large", "live", "site", "map") for ext in "ch"}
PYTHON_HEADER = re.compile(r"(^|/)Python\.h$|^internal/pycore_")

sources = [p for p in sorted(SRC.rglob("*.[ch]"))]


def includes(path):
    return re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]', path.read_text(), re.M)


def ours(include):
    return (SRC / include).is_file() or include.split("/")[0] in STAGES and "/" in include


def test_there_is_something_to_look_at():
    if not SRC.is_dir():
        pytest.skip("no sources beside the tests")
    assert len(sources) > 20 and any(includes(p) for p in sources)


@pytest.mark.parametrize("path", sources, ids=lambda p: str(p.relative_to(SRC)))
def test_includes_point_left(path):
    stage = path.relative_to(SRC).parts[0]
    assert stage in STAGES, f"src/{stage} has no place in the order of the stages"
    for include in includes(path):
        if ours(include):
            other = include.split("/")[0]
            assert STAGES.index(other) <= STAGES.index(stage), f"{stage} may not know {other}: #include \"{include}\""
        elif (path.parent / include).is_file():
            pytest.fail(f'#include "{include}": write it from src on, "{stage}/{include}"')


def reached(path, seen=None):
    """All files of ours that path includes, however indirectly, and itself."""
    seen = set() if seen is None else seen
    if path not in seen:
        seen.add(path)
        for include in includes(path):
            if (SRC / include).is_file():
                reached(SRC / include, seen)
    return seen


@pytest.mark.parametrize("path", sources, ids=lambda p: str(p.relative_to(SRC)))
def test_python_lives_where_python_lives(path):
    stage = path.relative_to(SRC).parts[0]
    if stage not in WITHOUT_PYTHON and not (stage == "record" and path.name in PLAIN_RECORD):
        return
    for file in reached(path):
        bad = [i for i in includes(file) if PYTHON_HEADER.search(i)]
        assert not bad, f"{path.relative_to(SRC)} reaches {bad[0]} by way of {file.relative_to(SRC)}"


def test_the_recorder_asks_nothing_of_the_monitor_or_the_file():
    for path in sources:
        if path.relative_to(SRC).parts[0] == "record":
            others = {p.relative_to(SRC).parts[0] for p in reached(path)}
            assert others <= {"base", "record"}, path


# What an import of memsure may bring in beside itself: nothing that takes its time, nothing from outside.
HEAVY = (
    "argparse asyncio concurrent ctypes dataclasses email html http importlib.metadata inspect json logging "
    "multiprocessing pickle pkg_resources pydoc random rich shutil socket sqlite3 ssl subprocess tempfile textwrap "
    "threading tomllib traceback typing unittest urllib xml zipfile numpy pandas"
).split()


def modules_after(code):
    program = f"import sys; before = set(sys.modules)\n{code}\nimport json; print(json.dumps(sorted(set(sys.modules) - before)))"
    # json is asked for last, so that it is seen when the package brings it
    program = program.replace("import json; print", "after = set(sys.modules) - before\nimport json; print").replace(
        "sorted(set(sys.modules) - before)", "sorted(after)")
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return json.loads(out.stdout)


def test_import_is_light():
    loaded = modules_after("import memsure")
    heavy = [name for name in loaded if name.split(".")[0] in HEAVY or name in HEAVY]
    assert not heavy, f"import memsure brings in {heavy}"


@pytest.mark.parametrize("module", ["memsure.cli", "memsure._core", "memsure.run"])
def test_only_the_standard_library(module):
    loaded = modules_after(f"import {module}")
    foreign = {n.split(".")[0] for n in loaded} - set(sys.stdlib_module_names) - {"memsure"}
    foreign = {n for n in foreign if not n.startswith(("_memsure", "__"))}
    # what an editable install uses to find itself is no doing of ours
    foreign -= {n for n in foreign if "editable" in n or n in ("mesonpy", "distutils", "_distutils_hack")}
    assert not foreign, f"import {module} needs {foreign}"
