"""Results are collected in a list of the module, by a function, and nobody reads them."""
import time

history = []


def handle(number):
    history.append({"number": number, "text": f"request {number} " * 10})   # culprit
    return number


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(40):
        handle(n)
        n += 1
    time.sleep(0.001)
print(n > 0)
