"""What a type checker is to see of pooled classes: read by test_pooled.py, never run."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar, assert_type
import memsure

T = TypeVar("T")

@memsure.pooled
@dataclass(slots=True, frozen=True)
class Point:
    x: float
    y: float = 0.0
    tags: list[str] = field(default_factory=list)

    @classmethod
    def origin(cls) -> "Point":
        return cls(0, 0)

@memsure.pooled
class Box(Generic[T]):
    __slots__ = ("value",)
    def __init__(self, value: T) -> None:
        self.value = value

p = Point(1, y=2.5)
assert_type(p, Point)
assert_type(p.x, float)
assert_type(Box(3).value, int)
assert_type(Point.origin(), Point)
Point("no")            # error
Point(1, z=3)          # error
p.x = 3                # error
class Sub(Point):
    pass
with memsure.buffers.memory(10) as view:
    assert_type(view, memoryview)
with memsure.buffers.bytes(10, zero=True) as b:
    assert_type(b, bytearray)
raise memsure.NotPooled("x")
