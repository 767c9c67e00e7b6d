"""Checks traces that come as any iterable of numbers."""
from collections.abc import Iterable

from pydantic import BaseModel


class Trace(BaseModel):
    name: str
    elements: Iterable[int]


total = 0
for number in range(60_000):
    trace = Trace(name=f"trace {number}", elements=[number, 2, 3])
    total += len(trace.name)
print(total)
