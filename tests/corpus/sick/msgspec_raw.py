"""Messages whose body is kept undecoded, as a router does; those for the archive are copied."""
import msgspec


class Envelope(msgspec.Struct):
    to: str
    body: msgspec.Raw


decoder = msgspec.msgpack.Decoder(type=Envelope)
total = 0
for i in range(2_000_000):
    data = msgspec.msgpack.encode({"to": f"queue {i % 10}", "body": bytes(500)})
    body = decoder.decode(data).body
    if i % 10 == 0:
        body = body.copy()
    total += len(bytes(body))
print(total)
