"""Answers that are maps, parsed."""
import hiredis

reader, size = hiredis.Reader(), 0
for n in range(30_000):
    values = b"".join(b"$4\r\nkey%d\r\n$12\r\nvalue %06d\r\n" % (k, n) for k in range(8))
    reader.feed(b"%8\r\n" + values)
    size += len(reader.gets())
print(size)
