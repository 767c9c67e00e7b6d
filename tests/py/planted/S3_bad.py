"""Rows as a reader gives them: the same few countries, a new text each time."""
import time

RAW = b"Switzerland,Liechtenstein,Luxembourg,Netherlands,United Kingdom"


def read(n):
    for i in range(n):
        yield i, RAW.split(b",")[i % 5].decode()            # culprit


ROWS = dict(read(120_000))
time.sleep(0.2)
print(len(ROWS))
