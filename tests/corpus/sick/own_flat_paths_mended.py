"""Configuration documents are flattened to dotted paths and compared with what was deployed."""
import json


def document(number):
    return json.dumps({
        "service": f"svc-{number % 40}",
        "limits": {f"limit_{key}": {"soft": key * number % 101, "hard": key * 3} for key in range(25)},
        "routes": [{"path": f"/v{key}", "to": [number % 7, key]} for key in range(12)],
    })


def visit(prefix, node, paths):
    if isinstance(node, dict):
        for key, value in node.items():
            visit(f"{prefix}.{key}", value, paths)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            visit(f"{prefix}[{index}]", value, paths)
    else:
        paths[prefix] = node


def flatten(tree):
    paths = {}
    visit("$", tree, paths)
    return paths


def changes(old, new):
    return sum(1 for key in old.keys() | new.keys() if old.get(key) != new.get(key))


def audit(documents):
    before = flatten(json.loads(document(0)))
    changed = 0
    for number in range(1, documents):
        now = flatten(json.loads(document(number)))
        changed += changes(before, now)
        before = now
    return changed


if __name__ == "__main__":
    print(audit(6000))
