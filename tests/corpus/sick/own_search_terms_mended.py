"""A search box: what users type becomes a pattern."""
import re

PATTERNS = {}


def pattern(term):
    if len(PATTERNS) > 200:
        PATTERNS.clear()
    if term not in PATTERNS:
        PATTERNS[term] = re.compile(r"\b" + re.escape(term) + r"\w*", re.I)
    return PATTERNS[term]


TEXT = "the quick brown fox jumps over the lazy dog " * 3
hits = 0
for number in range(6_000):
    hits += len(pattern(f"fo {number}").findall(TEXT)) + len(pattern("fox").findall(TEXT))
print(hits)
