from typing import TypeVar

_Class = TypeVar("_Class", bound=type)

class NotPooled(TypeError): ...

def pooled(cls: _Class, /) -> _Class: ...
