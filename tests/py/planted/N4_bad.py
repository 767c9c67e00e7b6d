"""A model of the weather, a step for each hour: each operation makes an array of full size."""
# needs: numpy
import numpy as np


def step(heat, flow, rain):
    return heat * 0.98 + flow * 0.01 - rain * 0.005         # culprit


heat, flow, rain = (np.ones(100_000) for _ in range(3))
for _ in range(1500):
    heat = step(heat, flow, rain)
print(heat[0] > 0)
