"""The defaults stand once, in the class."""
import time


class Record:
    f1 = f2 = f3 = None

    def __init__(self, number):
        self.f1 = number


RECORDS = [Record(i) for i in range(4000)]
time.sleep(0.2)
print(len(RECORDS))
