"""CPython's own tests of dataclasses, with every dataclass pooled that can be: python pooled_suite.py MODE [FILE]

MODE: plain or pooled, -slots behind it: every dataclass that the tests make without slots gets slots=True (many
tests fail then; they must fail alike). Prints {test: outcome} and how many classes were pooled, as JSON.
"""

import dataclasses
import importlib.util
import io
import json
import sys
import unittest

mode, _, slots = sys.argv[1].partition("-")
counts = {"pooled": 0, "refused": 0, "compiled": 0, "called": 0, "plain": 0}
original = dataclasses.dataclass


def dataclass(cls=None, /, **options):
    def decorate(cls):
        if slots and "slots" not in options and "__slots__" not in vars(cls):
            cls = original(cls, slots=True, **options)
        else:
            cls = original(cls, **options)
        if mode == "pooled":
            import memsure
            from memsure import _pool

            try:
                memsure.pooled(cls)
                counts["pooled"] += 1
                counts[_pool.info(cls)["constructor"]] += 1
            except memsure.NotPooled:
                counts["refused"] += 1
        return cls
    return decorate if cls is None else decorate(cls)


dataclasses.dataclass = dataclass
if len(sys.argv) > 2:
    spec = importlib.util.spec_from_file_location("test_dataclasses", sys.argv[2], submodule_search_locations=[])
    tests = importlib.util.module_from_spec(spec)
    sys.modules["test_dataclasses"] = tests
    spec.loader.exec_module(tests)
else:
    import test.test_dataclasses as tests


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.outcomes = {}

    def startTest(self, test):
        self.outcomes[test.id()] = "ok"

    def note(self, test, error):
        self.outcomes[test.id()] = error[0].__name__ + ": " + str(error[1]).split(" at 0x")[0]

    def addError(self, test, error):
        self.note(test, error)

    addFailure = addError

    def addSkip(self, test, reason):
        self.outcomes[test.id()] = "skipped"

    def addSubTest(self, test, subtest, error):
        if error:
            self.note(test, error)


result = Result()
stdout, sys.stdout = sys.stdout, io.StringIO()
unittest.defaultTestLoader.loadTestsFromModule(tests).run(result)
sys.stdout = stdout
if mode == "pooled":
    from memsure import _pool

    counts["broken"] = _pool.check()
print(json.dumps({"outcomes": result.outcomes, "counts": counts}))
