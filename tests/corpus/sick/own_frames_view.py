"""Frames of a capture are read; the headers are kept for a summary at the end."""
import io
import struct


def capture(count):
    out = io.BytesIO()
    for number in range(count):
        body = bytes([number % 251]) * 40_000
        out.write(struct.pack("!IHH", len(body), number % 65536, 7) + body)
    out.seek(0)
    return out


def frames(source):
    while True:
        start = source.read(8)
        if len(start) < 8:
            return
        size, number, kind = struct.unpack("!IHH", start)
        yield memoryview(start + source.read(size))


def summary(headers):
    return sum(struct.unpack("!IHH", header)[0] for header in headers)


def main():
    headers, checks = [], 0
    for _ in range(90):
        source = capture(120)
        for frame in frames(source):
            checks ^= frame[-1]
            headers.append(frame[:8])
    print(summary(headers), checks)


main()
