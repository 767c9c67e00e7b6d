"""A caught exception is kept in a variable of the frame that it came through."""
def attempt(number):
    work = [number] * 500
    failed = None
    try:
        int("x" * (number % 3 + 1))
    except ValueError as e:
        failed = e                                          # culprit
    return len(work) + (failed is not None)


print(sum(attempt(i) for i in range(40_000)))
