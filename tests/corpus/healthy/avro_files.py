"""Records through Avro files, one at a time."""

import io

import fastavro

schema = fastavro.parse_schema(
    {
        "type": "record",
        "name": "R",
        "fields": [
            {"name": "id", "type": "long"},
            {"name": "who", "type": "string"},
            {"name": "tags", "type": {"type": "array", "items": "string"}},
            {"name": "v", "type": ["null", "double"]},
        ],
    }
)


def rows(k):
    for i in range(40000):
        yield {"id": i, "who": f"u{i % 97}", "tags": ["a", f"b{k}"], "v": None if i % 3 else i / 7}


total = 0
for k in range(6):
    b = io.BytesIO()
    fastavro.writer(b, schema, rows(k), codec="deflate")
    b.seek(0)
    for r in fastavro.reader(b):
        total += r["v"] or 0
print(round(total))
