"""Messages from the network, some of them broken."""
import cbor2

good = cbor2.dumps({1: {2: "name", 3: list(range(50))}})
broken = b"\xbf\x01\xa1\x02\x64\xff\xfe\xfd\xfc\xff"
refused = 0
for i in range(300_000):
    try:
        cbor2.loads(broken if i % 10 else good)
    except cbor2.CBORDecodeError:
        refused += 1
print(refused)
