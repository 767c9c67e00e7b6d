"""Rules compiled and run while coverage measures, as a test suite with templates does."""
import os
import tempfile

import coverage

cov = coverage.Coverage(data_file=None, config_file=False)
cov.start()
total = 0
for i in range(110_000):
    names = {}
    exec(compile(f"def rule(a):\n    b = a + {i}\n    return b * 2 if b > {i} else b - 1\nresult = rule({i % 3})\n",
                 "<rule>", "exec"), names)
    total += names["result"]
cov.stop()
print(total)
