# A desk that keeps each slip it was handed, among its work.
import time


class Desk:
    def __init__(self):
        self.slips = {}

    def take(self, number):
        for part in range(40):
            self.slips[number, part] = [f"slip {number}, part {part}"] * 20  # culprit


desk = Desk()
for number in range(240):
    time.sleep(0.02)
    desk.take(number)
