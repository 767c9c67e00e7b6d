"""A codemod: every source of a package is parsed, changed and written back to text."""

import glob
import os

import libcst as cst
import pelican


class Rename(cst.CSTTransformer):
    def __init__(self):
        super().__init__()
        self.n = 0

    def leave_Name(self, old, new):
        if old.value == "self":
            self.n += 1
            return new.with_changes(value="this")
        return new


n = size = 0
for path in sorted(glob.glob(os.path.dirname(pelican.__file__) + "/*.py")):
    with open(path) as f:
        tree = cst.parse_module(f.read())
    r = Rename()
    out = tree.visit(r)
    n += r.n
    size += len(out.code)
print(n, size)
