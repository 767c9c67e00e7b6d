"""The same rows, one text for each country."""
import sys
import time

RAW = b"Switzerland,Liechtenstein,Luxembourg,Netherlands,United Kingdom"


def read(n):
    for i in range(n):
        yield i, sys.intern(RAW.split(b",")[i % 5].decode())


ROWS = dict(read(120_000))
time.sleep(0.2)
print(len(ROWS))
