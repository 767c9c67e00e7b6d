"""A decorator remembers in its closure what its function answered; it forgets the oldest of them."""
import functools
import time


def remembered(most):
    def decorate(function):
        known = {}

        @functools.wraps(function)
        def wrapper(*args):
            if args not in known:
                known[args] = function(*args)
                if len(known) > most:
                    del known[next(iter(known))]
            return known[args]

        wrapper.most = most
        return wrapper

    return decorate


@remembered(500)
def quote(grams, hub):
    return [grams * hub * place for place in range(30)]


def shop(seconds):
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for _ in range(40):
            n += len(quote(n, n % 7)) > 0
        time.sleep(0.001)
    return n > 0


print(shop(2.2))
