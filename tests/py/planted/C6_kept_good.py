"""One class, with the number as data."""
import time

MODELS = {}


class Model:
    def __init__(self, number):
        self.fields = [number] * 20
        self.number = number

    def check(self):
        return self.number


time.sleep(0.3)
for i in range(1500):
    MODELS[i] = Model(i)
time.sleep(0.2)
print(len(MODELS))
