"""Rows of a CSV are grouped by customer, sorted and written as JSON lines."""
import collections
import csv
import io
import json
import random

rng = random.Random(12)
source = io.StringIO()
writer = csv.writer(source)
writer.writerow(["customer", "day", "amount", "currency"])
for n in range(120_000):
    writer.writerow([rng.randrange(9000), rng.randrange(365), rng.randrange(100_000) / 100, rng.choice(["EUR", "USD"])])
source.seek(0)
groups = collections.defaultdict(list)
for row in csv.DictReader(source):
    groups[row["customer"]].append((int(row["day"]), float(row["amount"]), row["currency"]))
out = io.StringIO()
for customer, rows in sorted(groups.items()):
    rows.sort()
    json.dump({"customer": customer, "total": sum(r[1] for r in rows), "first": rows[0][0], "last": rows[-1][0]}, out)
    out.write("\n")
print(out.tell() > 0)
