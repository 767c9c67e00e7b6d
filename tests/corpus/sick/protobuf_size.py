"""Messages measured before they are sent: the size of a part that was never set."""
from google.protobuf.type_pb2 import Field, Type

template = Type()
total = 0
for i in range(1_000_000):
    total += template.source_context.ByteSize()
    total += len(Type(name=f"type {i}", fields=[Field(name="id", number=1)]).SerializeToString())
print(total)
