"""Readings of electricity meters: the yearly bill of each household."""
import random
from collections import defaultdict
from dataclasses import dataclass


@dataclass
class Reading:
    meter: int
    hour: int
    kwh: float
    tariff: str

    def price(self):
        return self.kwh * (0.31 if self.tariff == "day" else 0.22)


class Meters:
    def __init__(self):
        self.readings = []

    def read(self, meter, hours, rng):
        for hour in range(hours):
            tariff = "day" if 6 <= hour % 24 < 22 else "night"
            self.readings.append(Reading(meter, hour, rng.random(), tariff))


def bills(meters):
    total = defaultdict(float)
    for reading in meters.readings:
        total[reading.meter] += reading.price()
    return total


def main():
    rng = random.Random(1)
    meters = Meters()
    for meter in range(30):
        meters.read(meter, 8760, rng)
    for month in range(4):
        result = bills(meters)
    print(len(result), round(max(result.values())))


main()
