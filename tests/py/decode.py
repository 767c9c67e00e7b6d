"""A second decoder of the memsure file, written from docs/FORMAT.md alone, with the standard library only.

It is slow and plain on purpose: what it and the C reader agree on is what the format says.

    python tests/py/decode.py FILE          prints the tables
"""
import struct
import sys

HEADER = struct.Struct("<12sHHIIQQ24x")
CHUNK = struct.Struct("<8sIHHQQQIIB15x32s32s")
assert HEADER.size == 64 and CHUNK.size == 128

MAGIC = bytes.fromhex("89 6d 65 6d 73 75 72 65 0d 0a 1a 0a")
CHUNK_MAGIC = bytes.fromhex("89 63 68 75 6e 6b 31 0a")
TYPES = {1: ("u8", "B"), 2: ("i32", "i"), 3: ("u32", "I"), 4: ("i64", "q"), 5: ("u64", "Q"), 6: ("f64", "d"), 7: ("u16", "H")}
NAME = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_")


def _crc_table():
    table = []
    for c in range(256):
        for _ in range(8):
            c = (c >> 1) ^ (0x82F63B78 if c & 1 else 0)
        table.append(c)
    return table


_TABLE = _crc_table()


def crc32c(data):
    c = 0xFFFFFFFF
    for byte in data:
        c = (c >> 8) ^ _TABLE[(c ^ byte) & 255]
    return c ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283


class NotMemsure(Exception):
    """The file is something else, or of a later version."""


def _name(field):
    name, _, rest = field.partition(b"\0")
    if not 1 <= len(name) <= 31 or not NAME.issuperset(name) or not 97 <= name[0] <= 122:
        return None
    return name.decode()


class Chunk:
    """A description at an offset of data, or None from read() where there is no sound one."""

    @classmethod
    def read(cls, data, at, place=None):
        """place: where it says that it lies, if that is not where it is read (a copy)."""
        raw = data[at:at + 128]
        if len(raw) < 128 or raw[:8] != CHUNK_MAGIC:
            return None
        self = cls()
        (_, crc, self.kind, self.flags, self.offset, self.length, self.rows, self.width, self.payload_crc, self.type,
         table, column) = CHUNK.unpack(raw)
        if crc != crc32c(raw[:8] + bytes(4) + raw[12:]) or self.offset % 64:
            return None
        if place is None and self.offset != at:
            return None
        self.end = self.offset + 128 + self.length
        self.table, self.column = _name(table), _name(column)
        return self

    @property
    def is_column(self):
        return (self.kind == 1 and self.flags == 0 and self.type in TYPES and 1 <= self.width <= 1 << 24
                and self.table is not None and self.column is not None
                and self.rows * self.width * struct.calcsize("<" + TYPES[self.type][1]) == self.length)

    def payload(self, data):
        return data[self.offset + 128:self.end]


class Decoded:
    """tables: {table: {column: (type, rows, width)}}; column(): a tuple of values; whole: nothing is missing."""

    def __init__(self, data):
        self.data = data
        self.whole = True
        self._columns = {}
        chunks = self._chunks()
        for c in chunks:
            if c.is_column and (c.table, c.column) not in self._columns:
                self._columns[c.table, c.column] = c
        for key, c in list(self._columns.items()):
            if crc32c(c.payload(data)) != c.payload_crc:
                self.whole = False
                del self._columns[key]

    def _chunks(self):
        data = self.data
        if data[:12] != MAGIC:
            if Chunk.read(data, 64) is None:
                raise NotMemsure("another magic")
        if len(data) < 64:
            raise NotMemsure("too short")
        _, major, _, crc, _, directory, length = HEADER.unpack(data[:64])
        if data[:12] == MAGIC and crc == crc32c(data[:16] + bytes(4) + data[20:64]):
            if major > 1:
                raise NotMemsure("a later version")
            if directory and 0 < length <= len(data):
                found = self._directory(directory)
                if found is not None:
                    return found
        self.whole = False
        return self._walk()

    def _directory(self, at):
        d = Chunk.read(self.data, at)
        if (d is None or d.kind != 2 or d.flags or d.end > len(self.data) or d.length % 128
                or crc32c(d.payload(self.data)) != d.payload_crc):
            return None
        found = [Chunk.read(self.data, at + 128 + i, place="any") for i in range(0, d.length, 128)]
        if any(c is None or c.end > len(self.data) for c in found):
            return None
        return found

    def _walk(self):
        found, at = [], 64
        while at + 128 <= len(self.data):
            c = Chunk.read(self.data, at)
            if c is None:
                at += 64
                continue
            if c.end > len(self.data):
                break
            found.append(c)
            at = (c.end + 63) // 64 * 64
        return found

    @property
    def tables(self):
        out = {}
        for (table, column), c in self._columns.items():
            out.setdefault(table, {})[column] = (TYPES[c.type][0], c.rows, c.width)
        return out

    def column(self, table, column):
        c = self._columns[table, column]
        return struct.unpack(f"<{c.rows * c.width}{TYPES[c.type][1]}", c.payload(self.data))

    def strings(self):
        offsets, data = self.column("strings", "offsets"), bytes(self.column("strings", "data"))
        return [data[a:b].decode() for a, b in zip(offsets, offsets[1:])]


def decode(path):
    with open(path, "rb") as f:
        return Decoded(f.read())


if __name__ == "__main__":
    file = decode(sys.argv[1])
    print("whole" if file.whole else "not whole")
    for table, columns in file.tables.items():
        for column, (kind, rows, width) in columns.items():
            print(f"{table}.{column}: {rows} x {width} {kind}")
