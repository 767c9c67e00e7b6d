"""Quotes for less than a second: every customer's is kept."""


class Quotes:
    def __init__(self):
        self.known = {}

    def quote(self, customer):
        if customer not in self.known:
            self.known[customer] = [customer * n for n in range(60)]   # culprit
        return self.known[customer]


quotes, total = Quotes(), 0
for request in range(80_000):
    total += sum(quotes.quote(request * 3 % 32_000 + request // 40))
print(total > 0)
