"""Processes count the primes in ranges; results come back as they are done and are put in order."""

import concurrent.futures
import math


def primes(low, high):
    sieve = bytearray(b"\1") * (high - low)
    for n in range(2, math.isqrt(high) + 1):
        first = max(n * n, (low + n - 1) // n * n)
        sieve[first - low :: n] = bytes(len(range(first - low, high - low, n)))
    return [low + i for i, flag in enumerate(sieve) if flag and low + i > 1]


def main():
    found, step = {}, 50_000
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        jobs = {pool.submit(primes, low, low + step): low for low in range(0, 1_500_000, step)}
        for job in concurrent.futures.as_completed(jobs):
            found[jobs[job]] = job.result()
    ordered = [p for low in sorted(found) for p in found[low]]
    gaps = max((b - a, a) for a, b in zip(ordered, ordered[1:]))
    print(len(ordered), gaps)


if __name__ == "__main__":
    main()
