"""Answers are cached by what was asked, and no two ask for the same."""
import functools
import time


@functools.cache  # culprit
def answer(question):
    return [question] * 30


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(40):
        n += len(answer(f"question {n}")) > 0
    time.sleep(0.001)
print(n > 0)
