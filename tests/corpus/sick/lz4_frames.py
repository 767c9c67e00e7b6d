"""Unpacks files, some of which are broken."""
import lz4.frame

good = lz4.frame.compress(b"text of a file " * 20_000)
broken = good[:60] + bytes([good[60] ^ 255]) * 40 + good[100:]
total = failed = 0
for number in range(600):
    try:
        total += len(lz4.frame.decompress(broken if number % 2 else good))
    except RuntimeError:
        failed += 1
print(total, failed)
