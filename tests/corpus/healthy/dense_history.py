"""A fit by descent; the losses and the best weights are kept and drawn when it is done."""

import numpy as np


class Fit:
    def __init__(self, n):
        self.w, self.history, self.best = np.zeros(n), [], None

    def step(self, x, y):
        error = x @ self.w - y
        self.w -= 0.01 * x.T @ error / len(y)
        loss = float(error @ error / len(y))
        self.history.append({"loss": loss, "norm": float(np.linalg.norm(self.w)), "w": self.w[:8].copy()})
        if self.best is None or loss < self.best[0]:
            self.best = loss, self.w.copy()

    def summary(self):
        return [h["loss"] for h in self.history][::100], max(h["norm"] for h in self.history)


rng = np.random.default_rng(0)
x, true = rng.normal(size=(400, 50)), rng.normal(size=50)
y = x @ true + rng.normal(size=400) * 0.1
fit = Fit(50)
for _ in range(6000):
    fit.step(x, y)
losses, norm = fit.summary()
print(losses[-1] < losses[0])
