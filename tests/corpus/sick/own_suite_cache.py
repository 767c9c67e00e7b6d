"""Runs a suite of tests in its own process."""
import pathlib
import sys
import tempfile

import pytest

TESTS = '''
import pytest

_registry = {}


class Service:
    def __init__(self, name):
        self.name, self.log = name, [f"{name} line {k}" for k in range(250)]


@pytest.fixture
def service(request):
    found = _registry[request.node.nodeid] = Service(request.node.name)
    yield found



@pytest.mark.parametrize("number", range(700))
def test_service(service, number):
    assert len(service.log) == 250
'''

folder = pathlib.Path(tempfile.mkdtemp())
(folder / "test_service.py").write_text(TESTS)
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", str(folder)]))
