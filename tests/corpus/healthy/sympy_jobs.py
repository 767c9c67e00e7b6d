"""Algebra: the library keeps caches of a bounded size."""
from sympy import diff, expand, factor, integrate, simplify, sin, solve, symbols

x, y = symbols("x y")
done = 0
for n in range(1, 25):
    done += len(str(expand((x + n * y) ** 6)))
    done += len(str(factor(x ** 4 - n ** 4)))
    done += len(str(diff(sin(n * x) ** 3 * x ** n, x)))
    done += len(str(integrate(x ** (n % 5) * sin(x), x)))
    done += len(solve(x ** 2 - n, x))
    done += len(str(simplify((x ** 2 - n ** 2) / (x - n))))
print(done)
