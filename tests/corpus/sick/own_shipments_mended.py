"""Shipments of a month, read from the carrier's file."""
import io
import sys
import random
from collections import Counter

CARRIERS = ["northern freight lines", "coastal parcel service", "alpine express couriers", "river barge company"]
STATES = ["delivered to recipient", "returned to sender", "held at customs office", "in transit to depot"]


def feed(count):
    rng = random.Random(3)
    out = io.StringIO()
    for number in range(count):
        out.write(f"{number};{rng.choice(CARRIERS)};{rng.choice(STATES)};{rng.randrange(90)}\n")
    out.seek(0)
    return out


class Shipment:
    __slots__ = ("number", "carrier", "state", "weight")

    def __init__(self, number, carrier, state, weight):
        self.number = number
        self.carrier = carrier
        self.state = state
        self.weight = weight


def same(text):
    return sys.intern(text)


def load(stream):
    shipments = []
    for line in stream:
        number, carrier, state, weight = line.rstrip().split(";")
        shipments.append(Shipment(int(number), same(carrier), same(state), int(weight)))
    return shipments


def main():
    shipments = load(feed(220_000))
    by_state = Counter(s.state for s in shipments)
    by_carrier = Counter(s.carrier for s in shipments if s.weight > 30)
    print(by_state.most_common(2), by_carrier.most_common(1))
    heavy = sorted(shipments, key=lambda s: s.weight)[-5:]
    return [s.number for s in heavy]


print(main())
