"""Filters lines with the C library's patterns."""
import ctypes

c = ctypes.CDLL(None)


class Pattern:
    def __init__(self, text):
        self.compiled = ctypes.create_string_buffer(64)
        if c.regcomp(self.compiled, text.encode(), 1):
            raise ValueError(text)

    def matches(self, line):
        return c.regexec(self.compiled, line.encode(), 0, None, 0) == 0

    def close(self):
        c.regfree(self.compiled)
        self.closed = True


LINES = [f"user {n} logged in" for n in range(20)]
found = 0
for number in range(6_000):
    pattern = Pattern(f"user ({number % 20}|x+) (logged|went) [a-z]+")
    found += sum(pattern.matches(line) for line in LINES)
    pattern.close()
print(found)
