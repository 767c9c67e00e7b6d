"""A connection for each client, with a parser that reports errors by a method of the connection."""
import hiredis


class Connection:
    def __init__(self, number):
        self.number = number
        self.reader = hiredis.Reader(replyError=self.refused)
        self.buffer = bytearray(1_000)

    def refused(self, text):
        return RuntimeError(text)

    def ask(self):
        self.reader.feed(b":%d\r\n" % self.number)
        return self.reader.gets()


print(sum(Connection(number).ask() for number in range(40_000)))
