"""A trading terminal: screens are opened and closed all day, the price feed stays."""
import collections
import random


class Feed:
    def __init__(self, symbols):
        self.prices = dict.fromkeys(symbols, 100.0)
        self.listeners = collections.defaultdict(list)

    def watch(self, symbol, callback):
        self.listeners[symbol].append(callback)

    def leave(self, symbol, callback):
        self.listeners[symbol].remove(callback)

    def tick(self, symbol, change):
        price = self.prices[symbol] = self.prices[symbol] + change
        for callback in self.listeners[symbol][-3:]:
            callback(symbol, price)


class Screen:
    def __init__(self, feed, symbols):
        self.feed = feed
        self.symbols = symbols
        self.chart = {symbol: [0.0] * 50 for symbol in symbols}
        self.repaints = 0
        for symbol in symbols:
            feed.watch(symbol, self.on_price)

    def on_price(self, symbol, price):
        chart = self.chart[symbol]
        chart.append(price)
        del chart[0]
        self.repaints += 1

    def close(self):
        for symbol in self.symbols:
            self.feed.leave(symbol, self.on_price)
        self.chart = {symbol: chart[-10:] for symbol, chart in self.chart.items()}


def session(feed, rng, names):
    screen = Screen(feed, rng.sample(names, 4))
    for _ in range(20):
        feed.tick(rng.choice(names), rng.gauss(0, 1))
    screen.close()
    return screen.repaints


def main():
    rng = random.Random(4)
    names = [f"SYM{number}" for number in range(60)]
    feed = Feed(names)
    repaints = sum(session(feed, rng, names) for _ in range(9000))
    print(repaints, round(sum(feed.prices.values())))


if __name__ == "__main__":
    main()
