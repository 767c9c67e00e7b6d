"""Dates written with patterns of the users' own."""
import datetime

from babel.dates import format_datetime, parse_pattern

when, size = datetime.datetime(2024, 1, 1), 0
for n in range(30_000):
    size += len(format_datetime(when, f"yyyy-MM-dd 'user {n}'", locale="en"))
print(size)
