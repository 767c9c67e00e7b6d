"""Sessions of a web site: made at login, renewed by each request, expired by a heap of times; the number of users rises, then stays."""

import heapq
import random
import secrets


class Session:
    def __init__(self, user, now):
        self.user, self.seen, self.data = user, now, {"cart": [], "views": 0}


class Sessions:
    def __init__(self, life):
        self.life, self.by_key, self.times = life, {}, []

    def login(self, user, now):
        key = secrets.token_hex(16)
        self.by_key[key] = Session(user, now)
        heapq.heappush(self.times, (now + self.life, key))
        return key

    def get(self, key, now):
        session = self.by_key.get(key)
        if session:
            session.seen = now
        return session

    def expire(self, now):
        while self.times and self.times[0][0] <= now:
            _, key = heapq.heappop(self.times)
            session = self.by_key[key]
            if session.seen + self.life > now:
                heapq.heappush(self.times, (session.seen + self.life, key))
            else:
                del self.by_key[key]


def main():
    rng, sessions, keys, views = random.Random(6), Sessions(300), [], 0
    for now in range(2400):
        for _ in range(6):
            keys.append(sessions.login(f"user{rng.randrange(10**6)}", now))
        keys = keys[-1500:]
        for key in rng.choices(keys, k=80):
            if session := sessions.get(key, now):
                session.data["views"] += 1
                session.data["cart"] = [*session.data["cart"][-4:], rng.randrange(1000)]
                views += 1
        sessions.expire(now)
    print(len(sessions.by_key), views)


main()
