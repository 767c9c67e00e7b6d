"""A model is fitted, and what it did is drawn afterwards."""
import numpy as np

rng = np.random.default_rng(5)
x = rng.normal(size=(4_000, 60))
y = x @ rng.normal(size=60)
weights, history = np.zeros(60), []
for step in range(500):
    error = x @ weights - y
    history.append({"step": step, "error": error})
    weights -= 0.1 * x.T @ error / len(x)
print(round(float(np.abs(history[-1]["error"]).mean()), 3))
