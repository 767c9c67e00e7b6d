"""Candidate formulas turned into functions and tried, as a symbolic regression does."""
import sympy

x, y = sympy.symbols("x y")
total = 0.0
for i in range(5000):
    formula = x**2 + (i % 50) * y
    total += sympy.lambdify((x, y), formula, "math")(1.0, 2.0)
print(total)
