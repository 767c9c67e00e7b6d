"""Dates in texts, relative to the time of each text."""
import datetime

import dateparser

when, found = datetime.datetime(2024, 1, 1), 0
for n in range(2500):
    when += datetime.timedelta(minutes=7)
    found += dateparser.parse("2 hours ago", languages=["en"], settings={"RELATIVE_BASE": when}) is not None
print(found)
