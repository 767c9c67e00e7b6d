"""A capture is read in large buffers; the first packet of each flow is kept to classify it later."""
import random
import struct
import time


def buffers(count, rng):
    for number in range(count):
        out = bytearray()
        while len(out) < 200_000:
            size = rng.randrange(60, 1400)
            out += struct.pack("<HI", size, rng.randrange(40) + number * 8) + bytes([size % 256]) * size
        yield bytes(out)


class Flows:
    def __init__(self):
        self.heads = {}
        self.packets = 0

    def read(self, buffer):
        view = memoryview(buffer)
        at = 0
        while at + 6 <= len(view):
            size, flow = struct.unpack_from("<HI", view, at)
            payload = view[at + 6:at + 6 + size]
            if flow not in self.heads:
                self.heads[flow] = bytes(payload[:24])
            self.packets += 1
            at += 6 + size

    def kinds(self):
        out = {}
        for head in self.heads.values():
            out[head[0] // 32] = out.get(head[0] // 32, 0) + 1
        return out


def main():
    rng = random.Random(7)
    flows = Flows()
    for buffer in buffers(500, rng):
        flows.read(buffer)
        time.sleep(0.001)
    print(flows.packets, sorted(flows.kinds().items()))


main()
