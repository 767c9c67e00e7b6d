"""Dependencies resolved with the library that pip uses."""
import random

from packaging.specifiers import SpecifierSet
from packaging.version import Version
from resolvelib import AbstractProvider, BaseReporter, Resolver

chance = random.Random(7)
NAMES = [f"package{n}" for n in range(150)]
INDEX = {name: {Version(f"{major}.{minor}"): [] for major in range(1, 4) for minor in range(6)} for name in NAMES}
for n, name in enumerate(NAMES):
    for version in INDEX[name]:
        INDEX[name][version] = [(other, SpecifierSet(f">={chance.randint(1, 2)}.{chance.randint(0, 5)}"))
                                for other in chance.sample(NAMES[n + 1:], min(4, len(NAMES) - n - 1))]


class Provider(AbstractProvider):
    def identify(self, requirement_or_candidate):
        return requirement_or_candidate[0]

    def get_preference(self, identifier, resolutions, candidates, information, backtrack_causes):
        return identifier

    def find_matches(self, identifier, requirements, incompatibilities):
        wanted = list(requirements[identifier])
        bad = {c[1] for c in incompatibilities[identifier]}
        return [(identifier, v) for v in sorted(INDEX[identifier], reverse=True)
                if v not in bad and all(r[1].contains(str(v)) for r in wanted)]

    def is_satisfied_by(self, requirement, candidate):
        return requirement[1].contains(str(candidate[1]))

    def get_dependencies(self, candidate):
        return INDEX[candidate[0]][candidate[1]]


for round in range(4):
    result = Resolver(Provider(), BaseReporter()).resolve(
        [(name, SpecifierSet(">=1.0")) for name in NAMES[:5 + round]], max_rounds=5000)
print(len(result.mapping))
