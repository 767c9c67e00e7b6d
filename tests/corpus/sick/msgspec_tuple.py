"""Records with a long tuple, decoded one by one."""
import msgspec


class Reading(msgspec.Struct):
    values: tuple[int, ...]


decoder = msgspec.msgpack.Decoder(type=Reading)
encoder = msgspec.msgpack.Encoder()
total = 0
for i in range(1_400_000):
    data = encoder.encode(Reading(values=tuple(range(i, i + (24 if i % 8 == 0 else 12)))))
    total += len(decoder.decode(data).values)
print(total)
