"""One buffer, used again."""
import io


def checksum(stream):
    total = 0
    buf = bytearray(65536)
    while True:
        n = stream.readinto(buf)
        if not n:
            return total
        total += buf[0] + n


print(sum(checksum(io.BytesIO(bytes(64 << 20))) for _ in range(12)))
