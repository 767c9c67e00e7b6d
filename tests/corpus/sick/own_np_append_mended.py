"""A random walk of prices, with stops."""
import numpy as np


def walk(days, seed):
    rng = np.random.default_rng(seed)
    prices = np.empty(days)
    prices[0] = 100.0
    for i in range(1, days):
        step = rng.normal(0, 1)
        prices[i] = prices[i - 1] + step
    return prices


def worst(prices):
    high = np.maximum.accumulate(prices)
    return float((high - prices).max())


def main():
    falls = []
    for seed in range(4):
        prices = walk(25_000, seed)
        falls.append(worst(prices))
    print([round(fall, 2) for fall in falls])


main()
