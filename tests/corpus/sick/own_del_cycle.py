"""Devices with channels that are closed when they go."""
import random

CLOSED = 0


class Channel:
    def __init__(self, owner, number):
        self.owner = owner
        self.number = number
        self.buffer = bytearray(400)

    def __del__(self):
        global CLOSED
        CLOSED += 1


class Device:
    def __init__(self, name, channels):
        self.name = name
        self.channels = [Channel(self, i) for i in range(channels)]

    def measure(self, rng):
        return sum(channel.number * rng.random() for channel in self.channels)


def main():
    rng = random.Random(2)
    total = 0.0
    for number in range(40_000):
        device = Device(f"dev-{number}", 5)
        total += device.measure(rng)
    print(round(total / 1000), CLOSED > 0)


main()
