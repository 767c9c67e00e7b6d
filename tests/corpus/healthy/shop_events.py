"""A shop is simulated by events; all customers are kept for the statistics at the end."""

import heapq
import random
import statistics

random.seed(9)


class Customer:
    def __init__(self, t):
        self.came, self.served, self.left, self.items = t, None, None, random.randrange(1, 30)


heap, seq, queue, free, done = [(0.0, 0, "come", None)], 1, [], 5, []
now = 0
while heap and now < 40000:
    now, _, kind, c = heapq.heappop(heap)
    if kind == "come":
        c = Customer(now)
        heapq.heappush(heap, (now + random.expovariate(2), seq, "come", None))
        seq += 1
        queue.append(c)
    else:
        c.left = now
        free += 1
        done.append(c)
    while free and queue:
        c = queue.pop(0)
        c.served = now
        free -= 1
        heapq.heappush(heap, (now + c.items * 0.1 + 0.5, seq, "leave", c))
        seq += 1
print(len(done), round(statistics.mean(c.left - c.came for c in done), 2))
