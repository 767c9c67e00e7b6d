"""The same steps, each result written to a place that is there."""
# needs: numpy
import numpy as np


def step(heat, flow, rain, spare):
    heat *= 0.98
    np.multiply(flow, 0.01, out=spare)
    heat += spare
    np.multiply(rain, 0.005, out=spare)
    heat -= spare


heat, flow, rain, spare = (np.ones(100_000) for _ in range(4))
for _ in range(1500):
    step(heat, flow, rain, spare)
print(heat[0] > 0)
