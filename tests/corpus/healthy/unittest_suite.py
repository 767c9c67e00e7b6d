"""A suite of unittest: many small tests with fixtures of their own."""
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock


class Store:
    def __init__(self, path):
        self.path = Path(path)

    def save(self, rows):
        self.path.write_text(json.dumps(rows))

    def load(self):
        return json.loads(self.path.read_text())


class StoreTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.store = Store(Path(self.folder.name) / "rows")
        self.rows = [{"number": n, "name": f"row {n}"} for n in range(200)]


def make(number):
    def test(self):
        self.store.save(self.rows)
        with mock.patch.object(Store, "load", return_value=self.rows[:number]) as load:
            self.assertEqual(len(self.store.load()), number)
            load.assert_called_once()
        self.assertEqual(self.store.load(), self.rows)
    return test


for n in range(150):
    setattr(StoreTest, f"test_{n}", make(n))
result = unittest.TextTestRunner(stream=io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromTestCase(StoreTest))
print(result.testsRun, result.wasSuccessful())
