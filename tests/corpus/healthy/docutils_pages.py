"""docutils turns pages into HTML."""
from docutils.core import publish_string

page = "\n".join(f"""Title {n}
==========

A paragraph with *emphasis*, ``code`` and a `link <http://example.org/{n}>`_.

- one
- two, with a footnote [#f{n}]_

.. [#f{n}] A note.

.. code-block:: python

   print({n})

=====  =====
a      b
=====  =====
{n:5}  {n:5}
=====  =====
""" for n in range(25))
size = 0
for i in range(8):
    size += len(publish_string(page, writer_name="html5", settings_overrides={"report_level": 5}))
print(size)
