"""A dependency graph is read, sorted and its layers told."""

import random
from collections import defaultdict

random.seed(21)


class Package:
    def __init__(self, name):
        self.name, self.needs, self.depth = name, [], None


class Registry:
    def __init__(self):
        self.packages = {}

    def package(self, name):
        if name not in self.packages:
            self.packages[name] = Package(name)
        return self.packages[name]

    def load(self, line):
        name, *needs = line.split()
        self.package(name).needs.extend(map(self.package, needs))

    def layers(self):
        out, stack = defaultdict(list), []
        for package in self.packages.values():
            stack.append((package, iter(package.needs)))
            while stack:
                top, rest = stack[-1]
                waits = next((p for p in rest if p.depth is None), None)
                if waits is not None:
                    stack.append((waits, iter(waits.needs)))
                else:
                    top.depth = 1 + max((p.depth for p in top.needs), default=0)
                    stack.pop()
        for package in self.packages.values():
            out[package.depth].append(package.name)
        return out


registry = Registry()
for n in range(60_000):
    registry.load(" ".join([f"p{n}"] + [f"p{random.randrange(max(0, n - 500), n)}" for _ in range(random.randrange(4)) if n]))
print(len(registry.layers()))
