"""An editor's server: flake8's API asked for each file that was saved."""
import os
import tempfile

from flake8.api import legacy

folder = tempfile.mkdtemp()
path = os.path.join(folder, "module.py")
with open(path, "w") as f:
    f.write("import os\n\n\ndef f(a):\n    return a+1\n")
found = 0
with open(os.devnull, "w") as nothing:
    stdout = os.dup(1)
    os.dup2(nothing.fileno(), 1)
    for i in range(1200):
        guide = legacy.get_style_guide(quiet=2)
        found += guide.check_files([path]).total_errors
    os.dup2(stdout, 1)
os.remove(path)
os.rmdir(folder)
print(found)
