"""An application with a database, prepared reports and a cache that is thrown away with each write."""

import functools
import random
import sqlite3

random.seed(31)
db = sqlite3.connect(":memory:")
db.execute("create table sale (day int, shop text, item text, amount real)")


@functools.lru_cache(maxsize=64)
def report(shop):
    return db.execute("select item, sum(amount), count(*) from sale where shop = ? group by item order by 2 desc", (shop,)).fetchall()


n = 0
for day in range(60):
    db.executemany(
        "insert into sale values (?, ?, ?, ?)",
        [(day, f"s{random.randrange(30)}", f"i{random.randrange(400)}", random.random() * 50) for _ in range(700)],
    )
    db.commit()
    report.cache_clear()
    for _ in range(40):
        n += len(report(f"s{random.randrange(30)}"))
print(n)
