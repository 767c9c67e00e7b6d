"""A batch in Arrow; when all of it is dropped, its pool gives the memory back."""
# needs: pyarrow
import time

import pyarrow as pa
import pyarrow.compute as pc


def batch():
    table = pa.table({f"c{i}": pa.array(range(300_000)) for i in range(6)})
    table = pa.concat_tables([table] * 4).combine_chunks()
    words = pc.cast(table["c1"], pa.string())
    return len(words)


n = batch()
pa.default_memory_pool().release_unused()
for _ in range(40):                                         # other work
    time.sleep(0.03)
    [str(i) for i in range(200)]
print(n)
