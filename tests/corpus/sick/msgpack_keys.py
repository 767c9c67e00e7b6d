"""A table as it comes from the wire: many records of the same shape, held for a while."""
import time

import msgpack

packed = msgpack.packb([{"customer_identifier": n, "delivery_address": str(n), "payment_method": n % 3,
                         "order_reference": n * 7, "shipping_weight": 1.5} for n in range(80_000)])
rows = msgpack.unpackb(packed, raw=False)
total = 0
for i in range(20):
    total += sum(row["customer_identifier"] for row in rows)
    time.sleep(0.1)
print(total)
