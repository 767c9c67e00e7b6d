"""A table of the module, made long before the work that fills it."""
import json
import time

ANSWERS = {}


def prepare():
    rows = None
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        rows = json.loads(json.dumps([{"id": n} for n in range(300)]))
    return len(rows)


def answer(number):
    ANSWERS[f"question {number}"] = [number, str(number) * 20]          # culprit


prepare()
end, number = time.monotonic() + 1.8, 0
while time.monotonic() < end:
    for _ in range(20):
        answer(number)
        number += 1
    time.sleep(0.001)
print(len(ANSWERS))
