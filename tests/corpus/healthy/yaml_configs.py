"""ruamel.yaml reads and writes configurations."""
import io

from ruamel.yaml import YAML

yaml = YAML()
text = "services:\n" + "".join(f"  - name: service{n}   # number {n}\n    port: {8000 + n}\n    tags: [a, b, c{n}]\n" for n in range(40))
size = 0
for n in range(40):
    data = yaml.load(text)
    data["services"][0]["port"] = n
    out = io.StringIO()
    yaml.dump(data, out)
    size += len(out.getvalue())
print(size)
