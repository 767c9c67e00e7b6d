"""How many errors are in a log file?"""
import os
import tempfile

with tempfile.NamedTemporaryFile("w", suffix=".log", delete=False) as log:
    for number in range(500_000):
        log.write(f"2024-05-01 12:00:00 {'ERROR' if number % 50 == 0 else 'INFO'} request {number} took {number % 90} ms\n")


def errors(path):
    with open(path) as file:
        lines = file.read().splitlines()
    return sum("ERROR" in line for line in lines)


print(errors(log.name))
os.remove(log.name)
