# A herd whose log grows with each day, and is asked for its length only.
import random


class Herd:
    def __init__(self):
        self.log = []
        self.weight = 400.0

    def day(self, number):
        self.weight += random.random()
        self.log.append({"day": number, "weight": round(self.weight, 1)})  # culprit


herd = Herd()
seen = 0
for number in range(40_000):
    herd.day(number)
    sorted(range(4_000), reverse=True)
    seen = len(herd.log)
print(seen)
