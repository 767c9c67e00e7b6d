"""Parts are fetched, cleaned and joined by functions that hand lists on; a report in the end."""
import datetime
import json
import random

random.seed(32)


def fetch(n):
    return json.dumps([{"id": n * 1000 + i, "when": f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}", "city": random.choice(["Rome", "Oslo"]), "value": random.random()}
                       for i in range(1000)])


def clean(text):
    rows = json.loads(text)
    for row in rows:
        row["when"] = datetime.date.fromisoformat(row["when"])
    return [row for row in rows if row["value"] > .1]


def by_month(rows):
    out = {}
    for row in rows:
        out.setdefault((row["city"], row["when"].month), []).append(row["value"])
    return {key: sum(values) / len(values) for key, values in out.items()}


table = []
for n in range(60):
    table.extend(clean(fetch(n)))
print(len(by_month(table)))
