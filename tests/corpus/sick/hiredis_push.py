"""Reads what a server pushes to a subscriber."""
import hiredis

reader, seen = hiredis.Reader(), 0
for number in range(120_000):
    text = b"message %d" % number
    reader.feed(b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$%d\r\n%s\r\n" % (len(text), text))
    seen += len(reader.gets())
print(seen)
