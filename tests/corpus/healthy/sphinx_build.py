"""Sphinx builds a small manual."""
import io
import pathlib
import shutil
import tempfile

from sphinx.application import Sphinx

root = pathlib.Path(tempfile.mkdtemp())
source = root / "source"
source.mkdir()
(source / "conf.py").write_text("project = 'manual'\nextensions = ['sphinx.ext.autodoc']\n")
names = [f"chapter{n}" for n in range(25)]
(source / "index.rst").write_text("Manual\n======\n\n.. toctree::\n\n" + "".join(f"   {name}\n" for name in names))
for n, name in enumerate(names):
    (source / f"{name}.rst").write_text(
        f"Chapter {n}\n==========\n\nSee :doc:`chapter{(n + 1) % 25}`.\n\n.. automodule:: json\n   :members:\n\n"
        + "\n\n".join(f"Section {k}\n----------\n\nText with ``code {k}`` and *emphasis*." for k in range(20)))
app = Sphinx(source, source, root / "out", root / "trees", "html", status=io.StringIO(), warning=io.StringIO())
app.build()
print(len(list((root / "out").glob("*.html"))))
shutil.rmtree(root)
