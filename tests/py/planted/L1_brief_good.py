"""Quotes for less than a second: so many are kept, and no more. It is not full when the program ends."""


class Quotes:
    def __init__(self):
        self.known = {}

    def quote(self, customer):
        if customer not in self.known:
            self.known[customer] = [customer * n for n in range(60)]
            if len(self.known) > 100_000:
                del self.known[next(iter(self.known))]
        return self.known[customer]


quotes, total = Quotes(), 0
for request in range(80_000):
    total += sum(quotes.quote(request * 3 % 32_000 + request // 40))
print(total > 0)
