"""A trading rule is tried on ten years of prices: indicators over windows, an equity curve and a list of trades, statistics at the end."""

import math
import random
from collections import deque
from dataclasses import dataclass


@dataclass
class Trade:
    day: int
    price: float
    count: int
    profit: float = 0.0


class Account:
    def __init__(self, cash):
        self.cash, self.held, self.cost = cash, 0, 0.0
        self.trades, self.curve = [], []

    def buy(self, day, price):
        count = int(self.cash // price)
        if count:
            self.cash -= count * price
            self.held, self.cost = count, price
            self.trades.append(Trade(day, price, count))

    def sell(self, day, price):
        if self.held:
            self.cash += self.held * price
            self.trades.append(Trade(day, price, -self.held, self.held * (price - self.cost)))
            self.held = 0

    def mark(self, price):
        self.curve.append(self.cash + self.held * price)


def walk(seed, steps):
    rng, price = random.Random(seed), 100.0
    for _ in range(steps):
        price *= math.exp(rng.gauss(0.00001, 0.004))
        yield price


def run(seed, short, long):
    account, near, far = Account(10_000.0), deque(maxlen=short), deque(maxlen=long)
    for day, price in enumerate(walk(seed, 60_000)):
        near.append(price)
        far.append(price)
        if len(far) == long:
            a, b = sum(near) / short, sum(far) / long
            if a > b and not account.held:
                account.buy(day, price)
            elif a < b and account.held:
                account.sell(day, price)
        account.mark(price)
    return account


def drawdown(curve):
    top = worst = 0.0
    for value in curve:
        top = max(top, value)
        worst = max(worst, (top - value) / top)
    return worst


def main():
    accounts = [run(seed, 8, 40) for seed in range(6)]
    for account in accounts:
        wins = [t.profit for t in account.trades if t.profit > 0]
        print(f"{account.curve[-1]:10.0f} {drawdown(account.curve):.3f} {len(account.trades)} {sum(wins):.0f}")


main()
