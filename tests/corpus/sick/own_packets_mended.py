"""Packets are cut from the front of a buffer."""
def packets(data):
    at = 0
    while at < len(data):
        length = data[at]
        yield data[at + 1:at + 1 + length]
        at += 1 + length


stream = b"".join(bytes([30]) + bytes(30) for _ in range(12_000))
print(sum(map(len, packets(stream))))
