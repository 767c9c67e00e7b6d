"""MEMSURE=1 in the environment: a plain `python app.py` is recorded as by `memsure run`."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from conftest import MEMSURE, Process, dedent, run

PTH = Path(sysconfig.get_path("platlib")) / "memsure-autostart.pth"
pytestmark = pytest.mark.skipif(not PTH.exists() or sys.version_info >= (3, 18), reason="memsure is not installed with its start file")

APP = """
import os, sys
print(sys.argv, sys.orig_argv, sys.path, sys.flags, sys.executable, os.getcwd(), sorted(os.environ), sorted(sys.modules))
print(sys.stdin.read())
keep = [object() for _ in range(1000)]                  # site: keep
sys.exit(7)
"""


def both(argv, cwd, stdin="typed\n", **env):
    """The same command plain, and with MEMSURE=1."""
    env = {"PATH": os.path.dirname(sys.executable) + ":" + os.environ["PATH"], **env}
    plain = run(argv, cwd=cwd, stdin=stdin, env=env)
    under = run(argv, cwd=cwd, stdin=stdin, env={**env, "MEMSURE": "1"})
    return plain, under


@pytest.mark.parametrize("argv", [
    [sys.executable, "app.py", "-x", "", "--", "-m"], ["python", "app.py"], ["python", "-X", "utf8", "-u", "-W", "error", "app.py"],
    ["python", "-I", "app.py"], ["python", "-m", "app", "run", "-q"], ["python", "-mapp"], ["python", "-"], ["python"],
    ["python", "-c", APP], ["sh", "-c", "exec python app.py"], ["sh", "-c", "cd sub; python ../app.py a; exit $?"],
], ids=lambda a: " ".join(a).replace(sys.executable, "PYTHON").replace(APP, "APP"))
def test_as_without(tmp_path, argv):
    (tmp_path / "sub").mkdir()
    (tmp_path / "memsure.py").write_text("raise SystemExit('the wrong memsure')")
    (tmp_path / "app.py").write_text(dedent(APP))
    script = argv[-1] in ("-", "python")
    plain, under = both(argv, tmp_path, stdin=dedent(APP).replace("sys.stdin.read()", "0") if script else "typed\n")
    assert plain.returncode == 7
    assert (under.stdout, under.returncode) == (plain.stdout, plain.returncode)
    assert under.stderr.startswith(plain.stderr) and "run.memsure" in under.stderr
    (file,) = tmp_path.rglob("run*.memsure")
    assert Process(file).total("allocated_blocks") > 1000


def test_children_are_of_the_same_session(tmp_path):
    (tmp_path / "app.py").write_text(dedent("""
        import subprocess, sys, os
        print(subprocess.run([sys.executable, "-c", "import os; print(os.environ.get('MEMSURE'))"], stdout=subprocess.PIPE).stdout)
        """))
    _, under = both(["python", "app.py"], tmp_path)
    assert under.stdout == "b'None\\n'\n" and under.returncode == 0
    assert len(list((tmp_path / "run.memsure").iterdir())) == 2


@pytest.mark.parametrize("value", ["", "0"])
def test_off(tmp_path, value):
    done = run([sys.executable, "-c", "import os, sys; print(os.environ['MEMSURE'], [m for m in sys.modules if 'memsure' in m and m != 'memsure'])"],
               cwd=tmp_path, env={"MEMSURE": value})
    assert done.stdout.split()[:1] == ([value] if value else ["[]"]) and done.stderr == ""
    assert not list(tmp_path.iterdir())


def test_memsure_itself_is_not_recorded(tmp_path):
    """MEMSURE=1 memsure run app.py: one recording, of the program."""
    (tmp_path / "app.py").write_text("x = 1")
    for number, launcher in enumerate((MEMSURE, [os.path.join(os.path.dirname(sys.executable), "memsure")]), 1):
        done = run([*launcher, "run", "-q", "app.py"], cwd=tmp_path, env={"MEMSURE": "1"})
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert len(list(tmp_path.glob("*.memsure"))) == number
        assert run([*launcher, "--version"], cwd=tmp_path, env={"MEMSURE": "1"}).stdout.startswith("memsure ")
    done = run([*MEMSURE, "run", "-q", "--", "env", "MEMSURE=1", sys.executable, "app.py"], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "") and len(list(tmp_path.glob("*.memsure"))) == 3


def test_embedded(tmp_path):
    """A program that embeds Python cannot be started anew by Python's name: one line, and it runs."""
    cc, library = shutil.which("cc"), sysconfig.get_config_var("LDLIBRARY") or ""
    static = Path(sysconfig.get_config_var("LIBPL") or "", sysconfig.get_config_var("LIBRARY") or "-")
    if not cc or not (library.endswith(".so") or static.exists()):
        pytest.skip("nothing to embed here")
    (tmp_path / "host.c").write_text(
        "#include <Python.h>\nint main(void) { Py_Initialize(); PyRun_SimpleString(\"import site; site.addsitedir('%s'); print('inside')\");"
        " return Py_FinalizeEx(); }\n" % PTH.parent)
    where = sysconfig.get_config_var("LIBDIR")
    link = [f"-L{where}", f"-Wl,-rpath,{where}", f"-lpython{sysconfig.get_config_var('LDVERSION')}"] if library.endswith(".so") else [str(static)]
    built = subprocess.run([cc, "host.c", "-o", "host", f"-I{sysconfig.get_path('include')}", "-rdynamic", *link, "-lm", "-ldl", "-lutil", "-lpthread"],
                           cwd=tmp_path, capture_output=True, text=True)
    if built.returncode:
        pytest.skip("an embedding program cannot be built here: " + built.stderr[-200:])
    done = run(["./host"], cwd=tmp_path, env={"MEMSURE": "1", "PYTHONHOME": sys.base_prefix})
    assert done.stdout == "inside\n" and done.returncode == 0
    assert done.stderr == "memsure: this program embeds Python: it is not recorded\n"
