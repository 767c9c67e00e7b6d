"""Tables in Arrow's format: batches are made, joined, filtered and summed."""
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

total = 0.0
for day in range(40):
    rng = np.random.default_rng(day)
    sales = pa.table({"shop": rng.integers(0, 50, 100_000), "price": rng.random(100_000)})
    shops = pa.table({"shop": np.arange(50), "town": [f"town {n % 9}" for n in range(50)]})
    joined = sales.join(shops, "shop").filter(pc.field("price") > 0.5)
    total += sum(joined.group_by("town").aggregate([("price", "sum")])["price_sum"].to_pylist())
print(round(total))
