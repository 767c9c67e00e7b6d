"""black formats the source of a package."""
import glob
import os

import black
import jinja2

texts = []
for path in sorted(glob.glob(os.path.join(os.path.dirname(jinja2.__file__), "*.py"))):
    with open(path, encoding="utf-8") as f:
        texts.append(f.read())
mode = black.Mode()
print(sum(len(black.format_str(text, mode=mode)) for text in texts for _ in range(3)))
