"""Each batch asks for a full collection, which finds nothing in the table that stays."""
import gc

TABLE = [{"n": n, "next": [n + 1]} for n in range(150_000)]


class Batch:
    def __init__(self, begin):
        self.begin = begin

    def __enter__(self):
        return self

    def __exit__(self, *_):
        gc.collect()                                                      # culprit

    def run(self):
        return sum(row["n"] + row["next"][0] for row in TABLE[self.begin : self.begin + 900])


total = 0
for begin in range(0, 36_000, 900):
    with Batch(begin) as batch:
        total += batch.run()
print(total)
