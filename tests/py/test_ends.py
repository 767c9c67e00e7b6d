"""What is said of a program's end, and of one that cannot be recorded at all: real runs, judged as `memsure report` does."""

import sys

import pytest

from memsure import recording, report


def judged(rec):
    return report.data(recording.load(rec.path))


@pytest.mark.parametrize("env, flags", [({"PYTHONMALLOC": "malloc"}, []), ({"PYTHONMALLOC": "debug"}, []),
                                        ({"PYTHONDEVMODE": "1"}, []), ({}, ["-X", "dev"])])
def test_another_allocator_is_not_healthy(record, env, flags):
    rec = record(["--", sys.executable, *flags, "-c", "x = [[i] for i in range(10_000)]"], env=env)
    assert judged(rec)["verdict"]["kind"] == "unrecorded"


@pytest.mark.parametrize("flag", ["-V", "-c pass"])
def test_a_program_that_does_nothing_is_not_taken_for_unrecorded(record, flag):
    assert judged(record(["--", sys.executable, *flag.split()]))["verdict"]["kind"] == "healthy"
