"""A monitor asks many hosts again and again; a breaker opens after failures."""
import random
import time


class Breaker:
    def __init__(self, host):
        self.host = host
        self.failures = 0
        self.last_error = None

    def failed(self, error):
        self.failures += 1
        self.last_error = error

    def is_open(self):
        return self.failures > 5


def read_answer(host, rng):
    chunks = [host.encode() * 20_000]
    if rng.random() < 0.3:
        raise ConnectionResetError(f"{host}: reset by peer")
    return b"".join(chunks)


def check(breaker, rng):
    try:
        return len(read_answer(breaker.host, rng))
    except OSError as error:
        breaker.failed(error)
        return 0


def report(breakers):
    return [f"{breaker.host}: {breaker.last_error!r}" for breaker in breakers if breaker.last_error]


def main():
    rng = random.Random(3)
    breakers = [Breaker(f"host-{number:04d}.example.net") for number in range(120)]
    read = 0
    for _ in range(12):
        for breaker in breakers:
            if not breaker.is_open():
                read += check(breaker, rng)
        time.sleep(0.1)
    print(len(report(breakers)), read)


if __name__ == "__main__":
    main()
