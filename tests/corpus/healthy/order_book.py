"""Orders are matched; the day's trades are kept and written at its end."""

import csv
import heapq
import io
import random

random.seed(11)
buys, sells, tape, seq = [], [], [], 0


class Trade:
    __slots__ = ("t", "price", "qty", "buyer", "seller")

    def __init__(self, t, price, qty, buyer, seller):
        self.t, self.price, self.qty, self.buyer, self.seller = t, price, qty, buyer, seller


for t in range(300000):
    side, price, qty = random.random() < 0.5, round(100 + random.gauss(0, 2), 2), random.randrange(1, 100)
    seq += 1
    if side:
        while qty and sells and sells[0][0] <= price:
            p, s, q = heapq.heappop(sells)
            x = min(q, qty)
            tape.append(Trade(t, p, x, seq, s))
            qty -= x
            if q > x:
                heapq.heappush(sells, (p, s, q - x))
        if qty:
            heapq.heappush(buys, (-price, seq, qty))
    else:
        while qty and buys and -buys[0][0] >= price:
            p, s, q = heapq.heappop(buys)
            x = min(q, qty)
            tape.append(Trade(t, -p, x, s, seq))
            qty -= x
            if q > x:
                heapq.heappush(buys, (p, s, q - x))
        if qty:
            heapq.heappush(sells, (price, seq, qty))
out = io.StringIO()
w = csv.writer(out)
w.writerows((x.t, x.price, x.qty) for x in tape)
print(len(tape), len(out.getvalue()))
