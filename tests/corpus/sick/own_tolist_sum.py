"""Wind at a turbine: energy by hour."""
import numpy as np


def winds(days):
    rng = np.random.default_rng(1)
    return rng.weibull(2.0, days * 24 * 60) * 8.0


def energy(values):
    total = 0.0
    for speed in values.tolist():
        if 3.0 < speed < 25.0:
            total += min(speed, 12.0) ** 3
    return total


def main():
    speed = winds(2000)
    for year in range(3):
        part = speed * (1 + year / 50)
        print(year, round(energy(part)))


main()
