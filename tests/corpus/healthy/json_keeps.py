"""A report that keeps what it reads, since it needs all of it at the end: growth on purpose."""
import json
import random

chance = random.Random(7)
by_user = {}
for n in range(120_000):
    record = json.loads(json.dumps({"id": n, "user": chance.randrange(5000), "amount": chance.random() * 100}))
    by_user.setdefault(record["user"], []).append(record["amount"])
medians = {user: sorted(amounts)[len(amounts) // 2] for user, amounts in by_user.items()}
print(len(medians), round(sum(medians.values())))
