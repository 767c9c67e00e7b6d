"""A manual of thirty chapters with cross references and an index is built to HTML by Sphinx, then built again."""

import tempfile
from pathlib import Path

from sphinx.cmd.build import main as build


def chapter(n):
    refs = "\n".join(f"* see :ref:`chapter-{k}`" for k in range(max(0, n - 3), n))
    items = "\n\n".join(
        f".. py:function:: tool_{n}_{k}(a, b=None)\n\n   Does thing {k}. Returns *something*.\n\n   :param a: the first" for k in range(12)
    )
    return f".. _chapter-{n}:\n\nChapter {n}\n==========\n\n{refs}\n\n.. index:: topic {n}\n\n{items}\n\n.. code-block:: python\n\n   tool_{n}_0(1)\n"


def main():
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        source.mkdir()
        (source / "conf.py").write_text("project = 'Manual'\nextensions = ['sphinx.ext.viewcode', 'sphinx.ext.todo']\n")
        (source / "index.rst").write_text("Manual\n======\n\n.. toctree::\n\n" + "".join(f"   c{n}\n" for n in range(30)))
        for n in range(30):
            (source / f"c{n}.rst").write_text(chapter(n))
        assert build(["-q", "-b", "html", str(source), str(Path(folder, "out"))]) == 0
        (source / "c3.rst").write_text(chapter(3) + "\nMore.\n")
        assert build(["-q", "-b", "html", str(source), str(Path(folder, "out"))]) == 0
        print(len(list(Path(folder, "out").glob("*.html"))))


main()
