"""Shops with queues, simulated by events; what happened is kept and summed up at the end."""
import dataclasses
import heapq
import random
import statistics


@dataclasses.dataclass(slots=True)
class Visit:
    shop: int
    came: float
    served: float
    left: float


rng, events, visits, free = random.Random(6), [], [], [0.0] * 20
for customer in range(120_000):
    heapq.heappush(events, (rng.expovariate(1 / 5000) + customer / 20, customer))
    while len(events) > 5000:
        now, who = heapq.heappop(events)
        shop = who % 20
        served = max(now, free[shop])
        free[shop] = served + rng.expovariate(2)
        visits.append(Visit(shop, now, served, free[shop]))
waits = {shop: statistics.fmean(v.served - v.came for v in visits if v.shop == shop) for shop in range(20)}
print(len(waits), len(visits))
