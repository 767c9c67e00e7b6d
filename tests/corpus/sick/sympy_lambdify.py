"""Candidate formulas turned into functions and tried, as a symbolic regression does."""
import sympy

names = " ".join(f"temperature_measured_at_the_{side}_wall_in_kelvin" for side in ("outer", "inner", "northern", "southern"))
walls = sympy.symbols(names)
total = 0.0
for i in range(2500):
    formula = walls[0]**2 + (i % 50) * walls[1] + walls[2] * walls[3]
    total += sympy.lambdify(walls, formula, "math")(1.0, 2.0, 3.0, 4.0)
print(total)
