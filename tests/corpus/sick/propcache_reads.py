"""Requests with cached properties."""
from propcache import cached_property


class Request:
    def __init__(self, line):
        self.line = line

    @cached_property
    def parts(self):
        return self.line.split(" ")

    @cached_property
    def path(self):
        return self.parts[1]


size = 0
for n in range(120_000):
    request = Request(f"GET /page/{n} HTTP/1.1")
    size += len(request.path) + len(request.parts)
print(size)
