"""A writer for each document, with a method that depends on the type of what it is given."""
from functools import singledispatchmethod


class Writer:
    def __init__(self, number):
        self.number, self.out = number, bytearray(500)

    @singledispatchmethod
    def write(self, item):
        self.out += repr(item).encode()

    @write.register
    def _(self, item: str):
        self.out += item.encode()

    @write.register
    def _(self, item: int):
        self.out += b"%d" % item


size = 0
for number in range(60_000):
    writer = Writer(number)
    writer.write("page")
    writer.write(number)
    size += len(writer.out)
print(size)
