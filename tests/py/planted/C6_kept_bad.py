"""A model class for each request, kept by its base class and the caller."""
import time

MODELS = {}


def model(number):
    class Model:                                            # culprit
        fields = [number] * 20

        def check(self):
            return number

    return Model


time.sleep(0.3)
for i in range(1500):
    MODELS[i] = model(i)
time.sleep(0.2)
print(len(MODELS))
