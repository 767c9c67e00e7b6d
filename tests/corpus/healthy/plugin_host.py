"""A host of plug-ins: hooks, settings in layers, commands from a script."""

import importlib.util
import os
import random
import tempfile

random.seed(30)
folder, hooks, settings = tempfile.mkdtemp(), {}, {}
for n in range(40):
    with open(os.path.join(folder, f"plug{n}.py"), "w") as f:
        f.write(
            f"def setup(host):\n    host('line', lambda text: text.replace('a', '{n}'))\n    host('word', len)\n"
            + f"TABLE = {{i: 'x' * {n} for i in range(200)}}\n"
        )
for n in range(40):
    spec = importlib.util.spec_from_file_location(f"plug{n}", os.path.join(folder, f"plug{n}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.setup(lambda name, call: hooks.setdefault(name, []).append(call))
total = 0
for n in range(8000):
    line = "set key%d to abracadabra" % (n % 700)
    for call in hooks["line"]:
        line = call(line)
    settings[f"key{n % 700}"] = line
    total += sum(call(line) for call in hooks["word"])
print(total > 0, len(settings))
