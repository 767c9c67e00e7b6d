"""A buffer of 64 KiB is made for each part of a stream."""
import io


def checksum(stream):
    total = 0
    while True:
        buf = bytearray(65536)                              # culprit
        n = stream.readinto(buf)
        if not n:
            return total
        total += buf[0] + n


print(sum(checksum(io.BytesIO(bytes(64 << 20))) for _ in range(12)))
