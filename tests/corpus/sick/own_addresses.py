"""Addresses are cleaned up; many lines come twice."""
import functools


@functools.cache
def clean(line):
    return " ".join(part.strip().title() for part in line.split(","))


size = 0
for number in range(90_000):
    size += len(clean(f"{number} high street, town {number % 40},  country"))
    size += len(clean("1 low street, town 2, country"))
print(size)
