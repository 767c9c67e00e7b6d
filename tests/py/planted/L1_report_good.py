# A herd whose log is what the simulation is run for: at the end it is read as a whole.
import random


class Herd:
    def __init__(self):
        self.log = []
        self.weight = 400.0

    def day(self, number):
        self.weight += random.random()
        self.log.append({"day": number, "weight": round(self.weight, 1)})


herd = Herd()
seen = 0
for number in range(40_000):
    herd.day(number)
    sorted(range(4_000), reverse=True)
    seen = len(herd.log)
print(max(row["weight"] for row in herd.log) > 400)
