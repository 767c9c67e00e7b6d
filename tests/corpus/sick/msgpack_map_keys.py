"""Messages from the net; some have keys that are not allowed."""
import msgpack

good = msgpack.packb({"id": 7, "name": "a name", "tags": ["a", "b"]})
bad = b"\x82\xa4name" + msgpack.packb("x" * 200) + msgpack.packb(["a", "key"]) + msgpack.packb("value")
read = refused = 0
for number in range(500_000):
    try:
        msgpack.unpackb(bad if number % 2 else good)
        read += 1
    except ValueError:
        refused += 1
print(read, refused)
