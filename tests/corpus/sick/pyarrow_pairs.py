"""Records, lists of pairs, turned into columns."""
import pyarrow as pa

kind, rows = pa.struct([("name", pa.string()), ("price", pa.float64())]), 0
for batch in range(80):
    records = [[("name", f"thing {batch} {n}"), ("price", n * 1.5)] for n in range(2000)]
    rows += len(pa.array(records, kind))
print(rows)
