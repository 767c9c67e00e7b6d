"""mypy checks a package."""
import os
import tempfile

import jinja2
from mypy import api

with tempfile.TemporaryDirectory() as cache:
    out, err, status = api.run(["--cache-dir", cache, "--follow-imports=silent", os.path.dirname(jinja2.__file__)])
print(status, len(out.splitlines()) > 0)
