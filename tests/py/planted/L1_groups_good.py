"""Rows are grouped in the module that works on the groups afterwards."""
import collections
import time

groups = collections.defaultdict(list)
end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(40):
        groups[n % 50].append({"number": n, "text": f"visit {n} " * 10})
        n += 1
    time.sleep(0.001)
for key, rows in sorted(groups.items()):
    rows.sort(key=lambda row: row["text"])
print(n > 0)
