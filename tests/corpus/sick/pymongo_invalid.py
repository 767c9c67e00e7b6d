"""Documents are encoded; what cannot be is reported and skipped."""
import bson

bad = 0
for n in range(60_000):
    try:
        bson.encode({"number": n, "name": f"thing {n}", "owner": object})
    except bson.errors.InvalidDocument:
        bad += 1
print(bad)
