"""A log is read in batches; the counts by page are kept, and the slow requests listed in the end."""

import random
import sys
from dataclasses import dataclass, field

random.seed(20)


@dataclass
class Stats:
    hits: dict = field(default_factory=dict)
    slow: list = field(default_factory=list)

    def add(self, page, ms, who):
        entry = self.hits.setdefault(page, [0, 0])
        entry[0] += 1
        entry[1] += ms
        if ms > 900:
            self.slow.append((ms, page, who))

    def report(self, out):
        for page, (n, ms) in sorted(self.hits.items(), key=lambda item: -item[1][1])[:20]:
            out.write(f"{page:20} {n:6} {ms / n:8.1f}\n")
        for ms, page, who in sorted(self.slow, reverse=True)[:10]:
            out.write(f"{ms:6} {page} {who}\n")


stats = Stats()
for batch in range(60):
    for _ in range(6000):
        stats.add(f"/page/{random.randrange(3000)}", random.randrange(1000), f"user{random.randrange(5000)}")
stats.report(sys.stdout)
