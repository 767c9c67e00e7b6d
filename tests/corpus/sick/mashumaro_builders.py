"""Messages whose fields come from a schema that changes: a class for each version of it."""
from dataclasses import make_dataclass

from mashumaro import DataClassDictMixin

total = 0
for version in range(900):
    fields = [(f"field_{k}", int, 0) for k in range(6)]
    Message = make_dataclass(f"Message{version}", fields, bases=(DataClassDictMixin,))
    total += Message.from_dict({"field_1": version}).field_1
    del Message
print(total)
