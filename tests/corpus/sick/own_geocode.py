"""Addresses are turned into coordinates; a decorator remembers the answers."""
import functools
import hashlib
import random
import time


def memoize(function):
    known = {}

    @functools.wraps(function)
    def inner(*arguments):
        if arguments not in known:
            known[arguments] = function(*arguments)
        return known[arguments]

    return inner


@memoize
def locate(street, number, city):
    digest = hashlib.md5(f"{street} {number} {city}".encode()).hexdigest()
    return {"lat": int(digest[:6], 16) / 1e5, "lon": int(digest[6:12], 16) / 1e5, "source": digest}


def requests(seconds):
    rng = random.Random(10)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(100):
            yield f"street {rng.randrange(3000)}", rng.randrange(400), f"city {rng.randrange(30)}"
        time.sleep(0.005)


def main():
    north = 0
    for street, number, city in requests(4):
        north += locate(street, number, city)["lat"] > 80
    print(north > 0)


main()
