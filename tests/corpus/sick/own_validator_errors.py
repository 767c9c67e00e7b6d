"""Batches of sensor readings are checked; rejected batches are counted by reason in the end."""
import random
import time

rejected = []


class Rejected(ValueError):
    pass


def check(readings, number):
    low, high = min(readings), max(readings)
    if high - low > 99.995:
        raise Rejected(f"batch {number}: spread {high - low:.2f}")
    return sum(readings) / len(readings)


def batch(number, rng):
    readings = [rng.random() * 100 for _ in range(20_000)]
    return check(readings, number)


def main():
    rng = random.Random(5)
    total = 0.0
    for number in range(160):
        try:
            total += batch(number, rng)
        except Rejected as error:
            rejected.append(error)
        time.sleep(0.001)
    print(len(rejected), round(total))


main()
