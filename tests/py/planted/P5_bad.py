"""A batch in Arrow; its pool keeps the memory when all of it is dropped."""
# needs: pyarrow
import time

import pyarrow as pa
import pyarrow.compute as pc


def batch():
    table = pa.table({f"c{i}": pa.array(range(300_000)) for i in range(6)})         # culprit
    table = pa.concat_tables([table] * 4).combine_chunks()
    words = pc.cast(table["c1"], pa.string())
    return len(words)


n = batch()
for _ in range(40):                                         # other work
    time.sleep(0.03)
    [str(i) for i in range(200)]
print(n)
