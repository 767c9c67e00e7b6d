"""What customers did is entered in lists by customer, and nobody reads them."""
import collections
import time

visits = collections.defaultdict(list)


def visit(number):
    visits[number % 50].append({"number": number, "text": f"visit {number} " * 10})   # culprit
    return number


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(40):
        visit(n)
        n += 1
    time.sleep(0.001)
print(n > 0)
