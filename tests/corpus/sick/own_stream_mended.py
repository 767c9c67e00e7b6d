"""Telemetry frames: one decoder is made for each connection, feeds on its bytes and is dropped with it."""
import struct


class Decoder:
    def __init__(self, peer):
        self.peer = peer
        self.samples = []
        self.alarms = 0
        self.clock = 0

    def on_sample(self, value):
        self.samples.append(value / 16)

    def on_alarm(self, value):
        self.alarms += value & 1

    def on_clock(self, value):
        self.clock = value

    handlers = {1: on_sample, 2: on_alarm, 3: on_clock}

    def feed(self, data):
        for kind, value in struct.iter_unpack("<BI", data):
            handler = self.handlers.get(kind)
            if handler is not None:
                handler(self, value)

    def mean(self):
        return sum(self.samples) / len(self.samples)


def frames(peer, count):
    out = bytearray()
    for number in range(count):
        out += struct.pack("<BI", 1 if number % 9 else 2 + number % 2, (peer * 131 + number * 17) % 65536)
    return bytes(out)


class Gateway:
    def __init__(self):
        self.means = [0.0] * 64
        self.alarms = 0

    def connection(self, peer):
        decoder = Decoder(peer)
        decoder.feed(frames(peer, 300))
        self.means[peer % 64] = decoder.mean()
        self.alarms += decoder.alarms


def main():
    gateway = Gateway()
    for peer in range(4000):
        gateway.connection(peer)
    print(round(sum(gateway.means)), gateway.alarms)


main()
