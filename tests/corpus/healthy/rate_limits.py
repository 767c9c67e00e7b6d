"""A gateway limits the requests of its users by windows of time; users come, go and are forgotten."""

import random
from collections import deque


class Limiter:
    def __init__(self, most, seconds):
        self.most, self.seconds = most, seconds
        self.windows = {}
        self.swept = 0.0

    def allow(self, user, now):
        window = self.windows.get(user)
        if window is None:
            window = self.windows[user] = deque()
        while window and window[0] <= now - self.seconds:
            window.popleft()
        if now - self.swept > self.seconds:
            self.sweep(now)
        if len(window) >= self.most:
            return False
        window.append(now)
        return True

    def sweep(self, now):
        self.swept = now
        for user in [u for u, w in self.windows.items() if not w or w[-1] <= now - self.seconds]:
            del self.windows[user]


def main():
    rng, limiter, now, refused = random.Random(9), Limiter(20, 60.0), 0.0, 0
    for n in range(900_000):
        now += rng.expovariate(400)
        user = f"10.0.{n // 3000 % 256}.{int(rng.paretovariate(0.8)) % 250}"
        refused += not limiter.allow(user, now)
    print(len(limiter.windows), refused)


main()
