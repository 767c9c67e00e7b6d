"""The exception is kept without its traceback."""
def attempt(number):
    work = [number] * 500
    failed = None
    try:
        int("x" * (number % 3 + 1))
    except ValueError as e:
        failed = e.with_traceback(None)
    return len(work) + (failed is not None)


print(sum(attempt(i) for i in range(40_000)))
