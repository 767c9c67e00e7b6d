"""A log file for each job."""
import os
import tempfile

import structlog

lines = 0
with tempfile.TemporaryDirectory() as folder:
    for n in range(20_000):
        with open(os.path.join(folder, f"{n % 8}.log"), "w") as file:
            structlog.WriteLogger(file).info(f"job {n} begins\n")
            lines += 1
print(lines)
