# A program that works, and at its end fills a table in one go: that is its data.
import time


class Desk:
    def __init__(self):
        self.slips = {}

    def take(self, number):
        for part in range(240):
            self.slips[number, part] = [f"slip {number}, part {part}"] * 20


for number in range(240):
    time.sleep(0.02)
desk = Desk()
for number in range(40):
    time.sleep(0.02)
    desk.take(number)
