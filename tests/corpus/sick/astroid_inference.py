"""A service that infers what small pieces of code evaluate to."""
import astroid

known = 0
for n in range(2_500):
    tree = astroid.parse(f"from dataclasses import dataclass\nx = {n}\ny = dict(a={n})\nz = len('abc{n}')\nw = list((1, {n}))\n")
    for statement in tree.body[2:]:
        known += sum(1 for _ in statement.value.infer())
    astroid.MANAGER.astroid_cache.pop("", None)
print(known)
