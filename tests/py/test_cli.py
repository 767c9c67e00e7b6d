"""The command line: what is the program's and what is ours, the errors, how `run` ends. `_core.run` is played by a stand-in; the real one
has its tests in test_harmless.py."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest
import synthetic

from memsure import _core, cli, run
from memsure.cli import Usage, parse


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "MEMSURE_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def recorded(here):
    """A recording run.memsure in this folder."""
    synthetic.growing(here).write("run.memsure")
    return here


@pytest.fixture
def monitor(here, monkeypatch):
    """A stand-in for _core.run that writes a recording and remembers what it was asked for."""
    asked = []

    def stand_in(argv, session, mode, options):
        asked.append((argv, session, mode, options))
        synthetic.healthy(here).write(session)
        return {"exit_kind": "exit", "exit_code": stand_in.code, "recordings": [session], "problem": stand_in.problem}
    stand_in.code, stand_in.problem, stand_in.asked = 0, None, asked
    monkeypatch.setattr(_core, "run", stand_in, raising=False)
    (here / "app.py").write_text("print(1)\n")
    return stand_in


# -- what is whose

@pytest.mark.parametrize("words, program, settings", [
    ("app.py", "app.py", {}),
    ("app.py -o x --exact -q", "app.py -o x --exact -q", {"output": None, "exact": False, "quiet": False}),
    ("-o x app.py -o y", "app.py -o y", {"output": "x"}),
    ("-ox app.py", "app.py", {"output": "x"}),
    ("--output=x app.py", "app.py", {"output": "x"}),
    ("--exact --no-children -m pytest -q --exact", "-m pytest -q --exact", {"exact": True, "no_children": True, "quiet": False}),
    ("-mpytest -q", "-mpytest -q", {"quiet": False}),
    ("-q -c code -q --help", "-c code -q --help", {"quiet": True}),
    ("-q -- sh -c x -- y", "-- sh -c x -- y", {"quiet": True}),
    ("--show 3 --all --width 90 --color never app.py", "app.py", {"show": 3, "all": True, "width": 90, "color": "never"}),
    ("- x", "- x", {}),
    ("--json --no-report app.py --json", "app.py --json", {"json": True, "no_report": True}),
])
def test_everything_after_the_program_is_the_programs(words, program, settings):
    found, rest = parse("run", words.split())
    assert rest == program.split()
    for name, value in settings.items():
        assert getattr(found, name) == value, name


def test_report_takes_options_on_both_sides():
    for words in ("--sort gc x.memsure --filter a", "x.memsure --sort gc --filter=a", "--sort=gc --filter a -- x.memsure"):
        found, rest = parse("report", words.split())
        assert (found.sort, found.filter, rest) == ("gc", "a", ["x.memsure"])
    assert parse("report", ["--", "--odd"])[1] == ["--odd"]


@pytest.mark.parametrize("command, words, sentence, hint", [
    ("run", "--exat app.py", "--exat is not an option of run", "--exact"),
    ("run", "--sort peak app.py", "--sort is not an option of run", "memsure report --sort"),
    ("run", "--zzz app.py", "--zzz is not an option of run", "memsure run --help"),
    ("run", "-o", "-o needs a file", "-o run.memsure"),
    ("run", "--snapshot", "--snapshot needs a moment", "--snapshot peak,exit"),
    ("check", "-o", "-o needs a file", "-o memsure.sarif"),
    ("check", "--baseline", "--baseline needs a file", "--baseline memsure-baseline.json"),
    ("check", "--write-baseline=", "--write-baseline needs a file", "--write-baseline memsure-baseline.json"),
    ("check", "--ignore", "--ignore needs rules", "--ignore L1,C2"),
    ("run", "--show many app.py", "--show needs a number, not 'many'", "--show 3"),
    ("run", "--show -1 app.py", "--show needs a number, not '-1'", "--show 3"),
    ("run", "--width 0 app.py", "--width needs at least 24 columns, not 0", "--width 80"),
    ("report", "--width 5 f", "--width needs at least 24 columns, not 5", "--width 80"),
    ("run", "--exact=yes app.py", "--exact takes no value (it was given 'yes')", "--exact"),
    ("report", "--sort peek f", "--sort knows no 'peek'; it takes peak, growth, temporary, gc, allocated or live", "--sort peak"),
    ("report", "--format xml f", "--format knows no 'xml'; it takes text or json", "--format text"),
    ("report", "--filter= f", "--filter needs a text", "--filter app"),
    ("export", "--to svg f", "--to knows no 'svg'; it takes speedscope, pprof, collapsed, csv or heapsnapshot", "--to csv"),
])
def test_wrong_options(command, words, sentence, hint):
    with pytest.raises(Usage) as e:
        parse(command, words.split())
    assert (str(e.value), e.value.hint) == (sentence, hint)


# -- errors: a sentence, a command to copy, exit 2, no traceback

@pytest.mark.parametrize("words, shown", [
    ("flamegraph", f"error: no command 'flamegraph'\n  try: {'memsure export run.memsure --to speedscope':<39} (a flame graph)\n"),
    ("frobnicate", "error: no command 'frobnicate'\n  try: memsure --help\n"),
    ("reprot run.memsure", "error: no command 'reprot'\n  try: memsure report run.memsure\n"),
    ("app.py", "error: no command 'app.py'\n  try: memsure run app.py\n"),
    ("--exact app.py", "error: --exact needs a command before it\n  try: memsure run --exact ...\n"),
    ("run", "error: run needs a program\n  try: memsure run app.py\n"),
    ("run --", "error: nothing stands after --\n  try: memsure run -- pytest tests\n"),
    ("run -m", "error: -m needs a module\n  try: memsure run -m pytest tests\n"),
    ("run ap.py 1 2", f"error: 'ap.py' does not exist\n  try: {'memsure run app.py 1 2':<39} (found in this folder)\n"),
    ("run sh x", f"error: 'sh' does not exist\n  try: {'memsure run -- sh x':<39} (a command on the PATH)\n"),
    ("run job.sh 1", "error: 'job.sh' is a program for sh, not for Python\n  try: memsure run -- ./job.sh 1\n"),
    ("run folder", "error: 'folder' is a folder without a __main__.py\n  try: memsure run folder/app.py\n"),
    ("run -- no-such-command", f"error: no command 'no-such-command' is on the PATH\n  try: {'memsure run -m no-such-command':<39} (if it is a module)\n"),
    ("run zzz.py", f"error: 'zzz.py' does not exist\n  try: {'memsure run app.py':<39} (found in this folder)\n"),
    ("run -- ./app.py", "error: './app.py' is not executable\n  try: memsure run ./app.py\n"),
    ("run -o gone/x.memsure app.py", "error: the folder 'gone' does not exist\n  try: mkdir -p gone\n"),
    ("run -o app.py app.py", "error: 'app.py' is there, and is no recording\n  try: -o app.memsure\n"),
    ("run -o folder app.py", "error: 'folder' is a folder\n  try: -o folder/run.memsure\n"),
    ("report", "error: report needs a recording\n  try: memsure report run.memsure\n"),
    ("report a b", "error: report takes one recording; 'b' is one too many\n  try: memsure report a\n"),
    ("report rnu.memsure", "error: 'rnu.memsure' does not exist\n  try: memsure report run.memsure\n"),
    ("gone.memsure", "error: 'gone.memsure' does not exist\n  try: memsure report run.memsure\n"),
    ("report folder", "error: folder holds no recordings\n  try: memsure run app.py\n"),
    ("report app.zip", 'error: app.zip is not a memsure file (it begins with "PK": a zip archive)\n  try: memsure report run.memsure\n'),
    ("report app.py", 'error: app.py is not a memsure file (it begins with "1")\n  try: memsure run app.py\n'),
    ("report empty.memsure", "error: empty.memsure is not a memsure file (it is empty)\n  try: memsure report run.memsure\n"),
    ("snapshot gone.memsure", "error: 'gone.memsure' does not exist\n  try: memsure snapshot run.memsure\n"),
    ("report run.memsure --process 7", "error: run.memsure has no process 7; it has 4121\n  try: memsure report run.memsure --process 4121\n"),
    ("report run.memsure --lines cahce.py",
     "error: no line of 'cahce.py' allocated anything\n  try: memsure report run.memsure --lines shop/cache.py\n"),
    ("export run.memsure", "error: export needs a format: --to speedscope, pprof, collapsed, csv or heapsnapshot\n"
                           "  try: memsure export run.memsure --to speedscope\n"),
    ("export run.memsure --to heapsnapshot --metric live", "error: --metric is not for --to heapsnapshot\n"
                                                          "  try: memsure export run.memsure --to heapsnapshot\n"),
    ("run --snapshot=every=-1 app.py", "error: --snapshot=every needs seconds, not '-1'\n  try: --snapshot=every=10\n"),
])
def test_errors(words, shown, recorded, capsys):
    pathlib.Path("app.py").write_text("1\n")
    pathlib.Path("job.sh").write_text("#!/bin/sh\n")
    pathlib.Path("app.zip").write_bytes(b"PK\x03\x04....")
    pathlib.Path("empty.memsure").write_bytes(b"")
    os.mkdir("folder")
    assert cli.main(words.split()) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", shown)


@pytest.mark.parametrize("words", [
    "report nope", "check nope", "snapshot nope", "why nope dict", "diff nope nope", "export nope --to csv", "export nope --to heapsnapshot",
    "report damaged.memsure", "check damaged.memsure", "snapshot damaged.memsure", "why damaged.memsure dict", "diff damaged.memsure damaged.memsure",
    "export damaged.memsure --to csv", "report folder", "snapshot folder", "why folder dict", "snapshot run.memsure", "why run.memsure dict",
    "snapshot 999999999", "snapshot 9999999999", "snapshot", "why", "diff", "export", "check -o /nodir/x run.memsure",
    "check --baseline nope run.memsure", "explain nope", "report --nope run.memsure", "report --width", "report --width -3 run.memsure",
    "report run.memsure --lines nope", "run -- nope", "run nope", "run --snapshot=none,exit app.py",
])
def test_each_error_is_one_line_with_what_to_try(words, recorded, capsys):
    data = pathlib.Path("run.memsure").read_bytes()
    pathlib.Path("damaged.memsure").write_bytes(data[:64] + b"x" * (len(data) - 64))
    pathlib.Path("app.py").write_text("1\n")
    os.mkdir("folder")
    status = cli.main(words.split())
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == "" and status == 2, (status, err)
    assert len(lines) == 2 and lines[0].startswith("error: ") and lines[1].startswith("  try: ") and len(lines[1]) > 8, err


def test_a_damaged_file_is_one_sentence(recorded, capsys):
    data = pathlib.Path("run.memsure").read_bytes()
    pathlib.Path("cut.memsure").write_bytes(data[:20])
    assert cli.main(["report", "cut.memsure"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and "cut.memsure" in err and "Traceback" not in err and len(err.splitlines()) <= 2


def test_an_unwritable_folder(here, monkeypatch, capsys):
    pathlib.Path("app.py").write_text("1\n")
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != "." and real(path, mode))      # root may write anywhere
    assert cli.main(["run", "app.py"]) == 2
    assert capsys.readouterr().err == "error: this folder cannot be written to\n  try: -o /tmp/run.memsure\n"


def test_our_own_fault_says_so_and_asks_for_the_line(recorded, monkeypatch, capsys):
    from memsure import report
    monkeypatch.setattr(report, "render", lambda *a: 1 // 0)
    assert cli.main(["report", "run.memsure"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("memsure failed (not your program): ZeroDivisionError:") and "Please report this line" in err
    assert "Traceback" not in err


# -- help

@pytest.mark.parametrize("words", ["", "--help", "-h", "help", "run --help", "report -h", "help export", "report run.memsure --help", "snapshot --help",
                                   "why --help", "diff --help", "check --help", "explain --help"])
def test_help_is_one_screen_and_goes_to_stdout(words, here, capsys):
    assert cli.main(words.split()) == 0
    out, err = capsys.readouterr()
    assert err == "" and 6 <= out.count("\n") <= 24
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_names_every_option_and_only_those(command):
    import re
    options = {o for o in cli.OPTIONS[command]}
    named = set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", cli.HELPS[command].split("examples")[0])) - {"-m", "-c"}
    assert named <= options
    assert options - named <= {"--output", "--json"}            # the long form of -o; report --json means --format json
    assert command in cli.HELP


def test_the_narrowest_paper_is_the_one_that_the_help_names():
    from memsure import text
    assert cli.LEAST_WIDTH == text.NARROWEST
    for words in cli.HELPS.values():
        assert "--width" not in words or f"columns, {text.NARROWEST} to {text.WIDEST} " in words


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("memsure 0.")


# -- report

def test_report_and_file_alone_are_the_same(recorded, capsys):
    assert cli.main(["report", "run.memsure"]) == 0
    first = capsys.readouterr()
    assert cli.main(["run.memsure"]) == 0
    assert capsys.readouterr() == first
    assert first.out.startswith("memsure  shop.py · CPython 3.13.0 · 2 min") and first.err == ""


def test_report_as_json(recorded, capsys):
    for words in (["report", "run.memsure", "--format", "json"], ["run.memsure", "--json"]):
        assert cli.main(words) == 0
        assert json.loads(capsys.readouterr().out)["verdict"]["kind"] == "leak"


def test_nobody_reads_on(recorded):
    done = subprocess.run(f"{sys.executable} -m memsure report run.memsure --all | head -1", shell=True, capture_output=True, text=True)
    assert done.stdout.startswith("memsure  shop.py") and done.stderr == ""


def test_a_terminal_without_unicode(recorded):
    done = subprocess.run([sys.executable, "-m", "memsure", "run.memsure"], capture_output=True,
                          env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and done.stdout.isascii() and b"+- 1 MiB per minute" in done.stdout


# -- run

def test_run_asks_the_monitor_and_reports_to_stderr(monitor, capsys):
    assert cli.main(["run", "app.py", "--exact", "-q"]) == 0
    assert monitor.asked == [([sys.executable, "app.py", "--exact", "-q"], "run.memsure", "line", {"children": 1, "replace": 1, "snapshot": "peak,exit"})]
    out, err = capsys.readouterr()
    assert out == "" and "healthy:" in err and "memsure report run.memsure" in err


def test_run_options_reach_the_monitor(monitor):
    cli.main("run -q --exact --no-children -o there.memsure -m mod -x".split())
    cli.main("run -q -c pass".split())
    cli.main("run -q -- sh -c true".split())
    assert [a[0] for a in monitor.asked] == [[sys.executable, "-m", "mod", "-x"], [sys.executable, "-c", "pass"], ["sh", "-c", "true"]]
    assert monitor.asked[0][1:] == ("there.memsure", "exact", {"children": 0, "replace": 1, "snapshot": "peak,exit"})


def test_names_are_counted_up_and_nothing_is_overwritten(monitor):
    for _ in range(3):
        cli.main(["run", "-q", "app.py"])
    assert [a[1] for a in monitor.asked] == ["run.memsure", "run-2.memsure", "run-3.memsure"]
    os.mkdir("run-4.memsure")
    os.symlink("nowhere", "run-5.memsure")
    cli.main(["run", "-q", "app.py"])
    assert monitor.asked[-1][1] == "run-6.memsure"


def test_two_runs_that_start_at_once_get_two_names(here):
    assert [run.output(None), run.output(None)] == ["run.memsure", "run-2.memsure"]


def test_a_reserved_name_that_nothing_was_written_to_is_given_back(monitor, monkeypatch, capsys):
    nothing = {"exit_kind": "exit", "exit_code": 4, "recordings": [], "problem": None}
    monkeypatch.setattr(_core, "run", lambda *a: nothing)
    assert cli.main(["run", "app.py"]) == 4
    assert capsys.readouterr().err == "note: nothing was recorded: no CPython that memsure knows ran\n"

    def fails(*a):
        raise _core.Error("cannot start")
    monkeypatch.setattr(_core, "run", fails)
    assert cli.main(["run", "app.py"]) == 2
    assert sorted(os.listdir()) == ["app.py"]
    capsys.readouterr()

    def cannot(*a):
        raise OSError(8, "Exec format error", "app.py")
    monkeypatch.setattr(_core, "run", cannot)
    os.chmod("app.py", 0o755)
    assert cli.main(["run", "--", "./app.py"]) == 2
    assert capsys.readouterr().err == "error: cannot run './app.py': exec format error\n  try: memsure run -- sh ./app.py\n"


def test_an_older_recording_may_be_replaced_by_name(monitor):
    cli.main("run -q -o x.memsure app.py".split())
    assert cli.main("run -q -o x.memsure app.py".split()) == 0


@pytest.mark.parametrize("option, out, err", [("-q", "", ""), ("--quiet", "", ""),
                                              ("--no-report", "", "memsure: recorded in run.memsure   memsure report run.memsure\n")])
def test_silence(option, out, err, monitor, capsys):
    cli.main(["run", option, "app.py"])
    assert capsys.readouterr() == (out, err)


def test_run_json_goes_to_stdout(monitor, capsys):
    cli.main(["run", "--json", "app.py"])
    out, err = capsys.readouterr()
    assert json.loads(out)["schema"] == 1 and err == ""


def test_run_ends_as_the_program_ended(monitor, capsys):
    monitor.code = 7
    assert cli.main(["run", "-q", "app.py"]) == 7
    monitor.problem = "the disk is full: run.memsure stopped at 12.4 s, your program went on"
    assert cli.main(["run", "app.py"]) == 7
    assert capsys.readouterr().err.startswith("warning: the disk is full: run.memsure stopped at 12.4 s")


def test_a_fault_in_the_report_changes_no_exit_status(monitor, monkeypatch, capsys):
    from memsure import report
    monitor.code = 3
    monkeypatch.setattr(report, "render", lambda *a: 1 // 0)
    assert cli.main(["run", "app.py"]) == 3
    assert "; your program was not touched" in capsys.readouterr().err


def test_ctrl_c_during_the_report(monitor, monkeypatch, capsys):
    from memsure import report

    def interrupted(*a):
        raise KeyboardInterrupt
    monkeypatch.setattr(report, "render", interrupted)
    assert cli.main(["run", "app.py"]) == 0
    assert capsys.readouterr().err == "note: stopped; run.memsure is complete: memsure report run.memsure\n"


STAND_IN = """
import sys
from memsure import _core
_core.run = lambda *a: {"exit_kind": "signal", "exit_code": %d, "recordings": [], "problem": None}
from memsure.cli import main
sys.exit(main(["run", "-q", "-c", "pass"]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGINT, signal.SIGABRT, signal.SIGHUP, 40])
def test_run_dies_of_the_programs_signal(number, here):
    done = subprocess.run([sys.executable, "-c", STAND_IN % number], capture_output=True)
    assert done.returncode == -number, done.stderr
    assert not [n for n in os.listdir() if n.startswith("core")]


def test_no_core_file_of_our_own(monkeypatch):
    import resource
    seen = []
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: seen.append((which, limits[0])))
    monkeypatch.setattr(os, "kill", lambda pid, number: seen.append((pid, number)))
    monkeypatch.setattr(os, "_exit", seen.append)
    run.end_as({"exit_kind": "signal", "exit_code": signal.SIGKILL})
    assert seen == [(resource.RLIMIT_CORE, 0), (os.getpid(), signal.SIGKILL), 128 + signal.SIGKILL]


@pytest.mark.parametrize("flags", [[], ["-X", "utf8"], ["-W", "ignore", "-B"], ["-O"], ["-Xdev"]])
@pytest.mark.parametrize("how", [["-m", "memsure"], ["-mmemsure"]])
def test_interpreter_flags_hold_for_the_program(flags, how, here):
    code = "import sys; from memsure import run; print(run.python()[1:])"
    folder = here / "stub"
    os.makedirs(folder / "memsure")
    package = pathlib.Path(run.__file__).parent
    for name in os.listdir(package):
        if name.endswith((".py", ".so")) and name != "__main__.py":
            os.symlink(package / name, folder / "memsure" / name)
    (folder / "memsure" / "__main__.py").write_text(code)
    done = subprocess.run([sys.executable, *flags, *how, "run", "app.py"], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(folder)})
    assert done.stdout.strip() == str(flags), done.stderr
    joined = subprocess.run([sys.executable, *flags, "-Bm", "memsure", "run"], capture_output=True, text=True,
                            env={**os.environ, "PYTHONPATH": str(folder)})
    assert joined.stdout.strip() == str([*flags, "-B"]), joined.stderr


def test_a_quiet_run_imports_next_to_nothing(here):
    code = STAND_IN % signal.SIGKILL + ""
    code = code.replace('"signal"', '"exit"').replace("sys.exit(main", "before = set(sys.modules); (main").replace(
        '"pass"]))', '"pass"])); print(sorted(set(sys.modules) - before))')
    import memsure

    package = os.path.dirname(os.path.dirname(os.path.abspath(memsure.__file__)))      # -S knows no site-packages
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": package})
    assert done.returncode == 0, done.stderr
    extra = set(eval(done.stdout))
    assert extra <= {"memsure.run", "os", "stat", "posixpath", "genericpath", "os.path", "_stat", "_collections_abc", "errno",
                     "abc", "_abc"}, extra      # os imports these on 3.15


@pytest.mark.parametrize("metric", ["peak", "allocated", "live"])
def test_export_takes_a_metric(metric, recorded, capsys):
    from memsure import export, recording
    assert cli.main(["export", "run.memsure", "--to", "collapsed", "--metric", metric, "-o", "by-name.txt"]) == 0
    export.main(recording.load("run.memsure"), "collapsed", "called.txt", metric)
    assert pathlib.Path("by-name.txt").read_bytes() == pathlib.Path("called.txt").read_bytes() != b""


def test_export_knows_its_metrics(recorded):
    with pytest.raises(Usage, match="knows no 'gc'; it takes peak, allocated or live"):
        parse("export", ["--to", "csv", "--metric", "gc", "run.memsure"])
