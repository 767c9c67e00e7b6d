"""An old entry point that is still called by everyone."""
import warnings

warnings.simplefilter("default")
warnings.showwarning = lambda *a, **k: None


def legacy(number):
    warnings.warn(f"legacy({number}) goes away, call {number * 3} instead", DeprecationWarning)
    return number


total = 0
for number in range(60_000):
    total += legacy(number)
print(total)
