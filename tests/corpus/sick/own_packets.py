"""Packets are cut from the front of a buffer."""
def packets(data):
    while data:
        length = data[0]
        yield data[1:1 + length]
        data = data[1 + length:]


stream = b"".join(bytes([30]) + bytes(30) for _ in range(12_000))
print(sum(map(len, packets(stream))))
