"""Wide records whose entries are nearly all the same default."""
import time


def record(number):
    return {f: (number if f == "f1" else None) for f in FIELDS}     # culprit


FIELDS = [f"f{i}" for i in range(60)]
RECORDS = [record(i) for i in range(4000)]
time.sleep(0.2)
print(len(RECORDS))
