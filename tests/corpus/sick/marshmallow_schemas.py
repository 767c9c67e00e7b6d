"""A schema with its context for each job, of a job that keeps much in it."""
from marshmallow import Schema, fields


class Row(Schema):
    name = fields.String()
    price = fields.Float()


done = 0
for job in range(60):
    schema = Row()
    schema.context = {"rows": [str(n) * 3 for n in range(100_000)]}
    done += len(schema.dump({"name": f"thing {job}", "price": 1.5}))
    del schema
print(done)
